//! JSON-RPC 2.0 on borrowed text: messages, ids, parsing, encoding, error codes. Pure.
