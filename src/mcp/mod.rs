//! The Model Context Protocol: revisions, wire types and rules. Pure.
