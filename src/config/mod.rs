//! Configuration: schema, layers with origins, checks. No sockets, no tool code.
