//! A display with a real X server, and a viewer made of porthole-rfb's decoder.
#![allow(dead_code)] // Each test file uses its part of it.

pub mod bridge;
pub mod canvas;
pub mod picture;
pub mod viewer;

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The longest that anything here may take.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A running `porthole-display`.
pub struct Display {
    child: Child,
    dir: TempDir,
    /// Such as `:3`.
    pub name: String,
}

impl Display {
    /// Starts one and waits until it is ready.
    pub fn start(size: &str) -> Self {
        Self::start_with(size, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(size: &str, environment: &[(&str, &str)]) -> Self {
        need("Xvfb", "xvfb");
        let dir = TempDir::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_porthole-display"))
            .env("PORTHOLE_DISPLAY_SOCKET", dir.path().join("display.sock"))
            .env("PORTHOLE_DISPLAY_FRAMEBUFFER_DIR", dir.path())
            .env("PORTHOLE_DISPLAY_NUMBER", "auto")
            .env("PORTHOLE_DISPLAY_SIZE", size)
            .env("PORTHOLE_DISPLAY_MAX", "2048x1536")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut display = Self {
            child,
            dir,
            name: String::new(),
        };
        let socket = display.socket();
        wait_for("the display's socket", || socket.exists());
        let status: serde_json::Value = serde_json::from_slice(&display.get("/status").1).unwrap();
        status["display"]
            .as_str()
            .unwrap()
            .clone_into(&mut display.name);
        display
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("display.sock")
    }

    /// A folder for a test's files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child, to wait for its end.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The status as JSON.
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_slice(&self.get("/status").1).unwrap()
    }

    /// `GET` of a path: status code and body.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.request("GET", path, "")
    }

    /// `PUT` of JSON.
    pub fn put(&self, path: &str, json: &str) -> (u16, Vec<u8>) {
        self.request("PUT", path, json)
    }

    fn request(&self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: display\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let code = std::str::from_utf8(&answer[9..12])
            .unwrap()
            .parse()
            .unwrap();
        (code, answer.split_off(end + 4))
    }

    /// Runs a program on the display to its end; what it printed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = self
            .command(program, arguments)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?} failed: {}",
            output.status
        );
        output.stdout
    }

    /// Starts a program on the display; it is ended with the guard.
    pub fn spawn(&self, program: &str, arguments: &[&str]) -> Application {
        Application(
            self.command(program, arguments)
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// A program that would run on the display.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        need(program, package(program));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DISPLAY", &self.name)
            .stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8").env_remove("XAUTHORITY");
        command
    }

    /// An xterm that writes what is typed into a file, line by line, and has the focus.
    pub fn typing_terminal(&self, file: &Path) -> Application {
        let script = format!("stty -echoctl; exec cat > '{}'", file.display());
        let before = self.status()["windows"].as_u64().unwrap();
        let terminal = self.spawn(
            "xterm",
            &["-u8", "-geometry", "80x24+0+0", "-e", "sh", "-c", &script],
        );
        wait_for("the xterm's window", || {
            self.status()["windows"].as_u64().unwrap() > before
        });
        wait_for("the xterm's program", || file.exists());
        // Without a window manager the focus follows the pointer.
        terminal
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = Command::new("kill")
                .arg(self.child.id().to_string())
                .status();
        }
        let _ = self.child.wait();
    }
}

/// A program of the session; it ends with this.
pub struct Application(Child);

impl Application {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let program = command.get_program().to_owned();
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("{} cannot run: {error}", program.display())))
    }

    /// Closes its standard input.
    pub fn end_input(&mut self) {
        drop(self.0.stdin.take());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so, which nobody tells.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what} did not come within {PATIENCE:?}"
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "a bounded wait for another program"
        )]
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Fails with what to install when a program is missing.
pub fn need(program: &str, package: &str) {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    assert!(
        found || Path::new(program).is_absolute() && Path::new(program).is_file(),
        "{program} is missing: install the package {package} (apt-get install {package}); \
         'scripts/setup.sh' does"
    );
}

fn package(program: &str) -> &'static str {
    match OsStr::new(program).to_str() {
        Some("setxkbmap") => "x11-xkb-utils",
        Some("convert") => "imagemagick",
        Some("xterm") => "xterm",
        Some("xclip") => "xclip",
        Some("xdotool") => "xdotool",
        Some("xrandr" | "xsetroot") => "x11-xserver-utils",
        _ => "that has it",
    }
}
