//! Decisions on a parsed request head: who may come in. Pure; time is an argument.
