//! Outbound HTTP(S).
