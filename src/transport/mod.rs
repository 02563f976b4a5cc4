//! How messages come in and go out: stdio, HTTP routes, streams.
