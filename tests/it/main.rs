//! The one integration binary: the real server, started on port 0.
