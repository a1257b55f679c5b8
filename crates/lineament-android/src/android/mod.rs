//! The thin layer below the app: Android's events, camera, window, permission and heat, each as the app knows them.
//!
//! `android_main` has a thread of its own, and everything happens on it. Between events and frames it sleeps in the
//! system's looper.
#![allow(unsafe_code, reason = "Android's interface is C and JNI")]

mod camera;
mod java;
mod power;
mod window;

use std::time::{Duration, Instant, SystemTime};

use android_activity::input::{InputEvent, KeyAction, Keycode, MotionAction};
use android_activity::{AndroidApp, InputStatus, MainEvent, PollEvent, WindowManagerFlags};

use crate::app::{App, Event, Patience};
use crate::platform::{Clock, Platform};

/// Where Android begins, on a thread of its own.
// SAFETY: android-activity looks for this name and signature.
#[unsafe(no_mangle)]
fn android_main(app: AndroidApp) {
    let platform = Platform {
        camera: Box::new(camera::NdkCamera::new(app.create_waker())),
        clock: Box::new(SinceStart(Instant::now())),
        permission: Box::new(java::CameraPermission::new(app.clone())),
        power: Box::new(power::SystemPower::new()),
        folder: app.external_data_path().or_else(|| app.internal_data_path()),
    };
    let mut state = App::new(platform).expect("the models inside the library");
    app.set_window_flags(WindowManagerFlags::KEEP_SCREEN_ON, WindowManagerFlags::empty());
    let mut alive = true;
    while alive {
        let timeout = match state.patience() {
            Patience::UntilEvent => None,
            Patience::AtMost(time) => Some(time),
            Patience::None => Some(Duration::ZERO),
        };
        app.poll_events(timeout, |event| {
            let PollEvent::Main(event) = event else { return };
            match event {
                MainEvent::Resume { .. } => drop(state.handle(Event::Resume)),
                MainEvent::Pause => drop(state.handle(Event::Pause)),
                MainEvent::InitWindow { .. } => {
                    if let Some(window) = app.native_window() {
                        state.handle(Event::Window(Box::new(window::SystemWindow::new(window, app.clone()))));
                    }
                }
                // The system waits until this returns before it takes the window away.
                MainEvent::TerminateWindow { .. } => drop(state.handle(Event::WindowLost)),
                MainEvent::WindowResized { .. }
                | MainEvent::RedrawNeeded { .. }
                | MainEvent::ContentRectChanged { .. }
                | MainEvent::ConfigChanged { .. } => drop(state.handle(Event::WindowChanged)),
                MainEvent::InputAvailable => input(&app, &mut state),
                MainEvent::Destroy => alive = false,
                _ => (),
            }
        });
        if alive {
            state.work();
        }
    }
}

/// Hands on the touches and keys that wait.
fn input(app: &AndroidApp, state: &mut App) {
    let Ok(mut events) = app.input_events_iter() else { return };
    while events.next(|event| match event {
        InputEvent::MotionEvent(motion) => {
            let pointer = motion.pointer_at_index(0);
            let (x, y) = (pointer.x(), pointer.y());
            match motion.action() {
                MotionAction::Down => drop(state.handle(Event::Down { x, y })),
                MotionAction::Up => drop(state.handle(Event::Up { x, y })),
                MotionAction::Cancel | MotionAction::PointerDown => drop(state.handle(Event::Cancel)),
                _ => (),
            }
            InputStatus::Handled
        }
        InputEvent::KeyEvent(key) if key.key_code() == Keycode::Back && key.action() == KeyAction::Up => {
            if state.handle(Event::Back) { InputStatus::Handled } else { InputStatus::Unhandled }
        }
        _ => InputStatus::Unhandled,
    }) {}
}

struct SinceStart(Instant);

impl Clock for SinceStart {
    fn secs(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn unix_secs(&self) -> u64 {
        SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs())
    }
}
