//! An empty folder, the program in it, and photos to give it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::{ImageFormat, Rgb, RgbImage};

/// An empty folder that goes away with its test.
pub struct Folder(tempfile::TempDir);

/// What the program left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; makes the folders it lies in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}; there are {:?}", self.files()))
    }

    /// All files below the folder, sorted, with `/` between the parts.
    pub fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), root, found);
                } else {
                    let path = entry.path();
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }

    /// Runs `lineament` here with nothing on standard input.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.run_with_stdin(args, b"")
    }

    /// Runs `lineament` here.
    pub fn run_with_stdin(&self, args: &[&str], stdin: &[u8]) -> Outcome {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().expect("the program starts");
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        // A program that reads no input closes the pipe early.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineament"));
        command.args(args).current_dir(self.0.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A picture of soft stripes without a face.
pub fn faceless(format: ImageFormat) -> Vec<u8> {
    picture(64, 48, format)
}

/// Soft stripes of any size.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let stripes = RgbImage::from_fn(width, height, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, 128]));
    stripes.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
