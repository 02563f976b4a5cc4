//! The protocol server: sessions, dispatch, handlers, fan-out. Knows no transport.
