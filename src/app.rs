//! The only wiring: builds everything from a configuration; start-up and shutdown order.
