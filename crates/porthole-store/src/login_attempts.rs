//! login_attempts
