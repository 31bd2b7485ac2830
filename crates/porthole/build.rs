//! Makes Cargo embed the console again when it was built again.

fn main() {
    println!("cargo:rerun-if-changed=../../web/console/dist");
}
