//! What is offered now: an immutable snapshot of tools, resources and prompts.
