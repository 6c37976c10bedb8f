//! The Terraform face: one file for each type; each reads as schema, observe, decide, act, save.
