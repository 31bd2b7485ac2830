//! What a person is told when the server is up.

use crate::config::Config;
use porthole_control::app::first_start::FirstUser;
use secrecy::ExposeSecret;
use std::io::Write;

/// Tells where to go, and at the first start with which passwords.
pub fn print(config: &Config, first_users: &[FirstUser]) {
    println!("\n  Porthole is ready at {}\n", config.local_url());
    for user in first_users {
        let password = if user.generated {
            user.password.expose_secret()
        } else {
            "(as given in the environment)"
        };
        println!("    {:<18} {password}", user.username);
    }
    if first_users.iter().any(|user| user.generated) {
        println!("\n  These passwords are shown once. Change them after signing in.");
    }
    if config.tls.enabled && config.tls.certificate.is_none() {
        println!("  The certificate is self-signed until you replace it, so browsers warn once.");
    }
    println!("  Ctrl-C stops the server; sessions keep running.\n");
    let _ = std::io::stdout().flush();
}
