//! Services that packs speak to, one file each. Every fake is written from the service's own API
//! description, named at the top of its file, and never from our packs: a pack that asks for what
//! the service does not have must fail here as it would there.

#![allow(dead_code, reason = "each module of tests uses its part")]

pub mod adguard;
pub mod gitea;
pub mod grafana;
pub mod home_assistant;
pub mod immich;
pub mod jellyfin;
pub mod miniflux;
pub mod node_red;
pub mod ntfy;
pub mod paperless;
pub mod pihole;
pub mod portainer;
pub mod prometheus;
pub mod proxmox;
pub mod silverbullet;
pub mod uptime_kuma;
pub mod vikunja;
