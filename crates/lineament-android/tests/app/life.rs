//! Sequences of events, and after each: whether the camera runs, and how long the loop sleeps.

use lineament_android::desk;
use lineament_android::platform::CameraTrouble;
use lineament_android::{Event, Patience};

use super::*;

/// Something happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    Resume,
    Pause,
    Window,
    WindowLost,
    Turned,
    Frame,
    /// The system gives or takes the permission.
    Allow,
    Forbid,
    Tap,
    Screen(usize),
    Back,
    /// The next call of the camera fails.
    InUse,
    Unplugged,
    NoCamera,
    Denied,
    /// So many seconds without a frame.
    Silence(u32),
}

use Step::*;

struct Case {
    name: &'static str,
    steps: &'static [Step],
    /// Whether a camera runs after each step.
    runs: &'static str,
    /// How often the permission was asked for, in all.
    asked: usize,
}

const CASES: &[Case] = &[
    Case { name: "start, use, leave", steps: &[Resume, Window, Frame, Pause, WindowLost], runs: "-++--", asked: 0 },
    Case { name: "window before resume", steps: &[Window, Resume, Frame, WindowLost, Pause], runs: "-++--", asked: 0 },
    Case {
        name: "frames after the end",
        steps: &[Resume, Window, Pause, Frame, WindowLost, Frame],
        runs: "-+----",
        asked: 0,
    },
    Case { name: "pause and back", steps: &[Resume, Window, Frame, Pause, Resume, Frame], runs: "-++-++", asked: 0 },
    Case {
        name: "window lost alone",
        steps: &[Resume, Window, Frame, WindowLost, Window, Frame],
        runs: "-++-++",
        asked: 0,
    },
    Case {
        name: "turned",
        steps: &[Resume, Window, Frame, Turned, Frame, Turned, Turned, Frame],
        runs: "-+++++++",
        asked: 0,
    },
    Case {
        name: "permission given",
        steps: &[Forbid, Resume, Window, Pause, Allow, Resume, Frame],
        runs: "-----++",
        asked: 1,
    },
    Case {
        name: "permission refused twice, then given",
        steps: &[Forbid, Resume, Window, Pause, Resume, Tap, Pause, Allow, Resume],
        runs: "--------+",
        asked: 2,
    },
    Case {
        name: "permission taken away",
        steps: &[Resume, Window, Frame, Pause, Forbid, Resume, Frame],
        runs: "-++----",
        asked: 1,
    },
    Case {
        name: "permission taken while it runs",
        steps: &[Resume, Window, Denied, Frame, Forbid, Tap, Allow, Tap],
        runs: "-++----+",
        asked: 1,
    },
    Case { name: "another app has the camera", steps: &[InUse, Resume, Window, Tap, Frame], runs: "---++", asked: 0 },
    Case {
        name: "the camera is taken, and comes back",
        steps: &[Resume, Window, Frame, Unplugged, Frame, Frame, Tap, Frame],
        runs: "-+++--++",
        asked: 0,
    },
    Case {
        name: "the camera is taken, and the app is left",
        steps: &[Resume, Window, Unplugged, Frame, Pause, Resume, Frame],
        runs: "-++--++",
        asked: 0,
    },
    Case { name: "no camera", steps: &[NoCamera, Resume, Window, Tap, Tap], runs: "-----", asked: 0 },
    Case {
        name: "silence",
        steps: &[Resume, Window, Frame, Silence(3), Silence(3), Tap, Frame],
        runs: "-+++-++",
        asked: 0,
    },
    Case {
        name: "silence is broken",
        steps: &[Resume, Window, Silence(3), Frame, Silence(3), Frame],
        runs: "-+++++",
        asked: 0,
    },
    Case {
        name: "other screens",
        steps: &[Resume, Window, Screen(1), Screen(2), Screen(0), Frame],
        runs: "-+--++",
        asked: 0,
    },
    Case { name: "back", steps: &[Resume, Window, Screen(2), Back, Frame], runs: "-+-++", asked: 0 },
    Case {
        name: "left on another screen",
        steps: &[Resume, Window, Screen(1), Pause, Resume, Screen(0)],
        runs: "-+---+",
        asked: 0,
    },
    Case { name: "next camera", steps: &[Resume, Window, Tap, Frame, Tap, Frame], runs: "-+++++", asked: 0 },
    Case {
        name: "many pauses",
        steps: &[Window, Resume, Pause, Pause, Resume, Resume, Frame],
        runs: "-+--+++",
        asked: 0,
    },
];

#[test]
fn the_camera_runs_exactly_while_the_app_is_seen_and_allowed() {
    let mut failures = Vec::new();
    for Case { name, steps, runs, asked } in CASES {
        let (desk, mut app) = app(None);
        let mut found = String::new();
        for &step in *steps {
            take(step, &desk, &mut app);
            let running = desk.borrow().open.is_some();
            found.push(if running { '+' } else { '-' });
            let sleeps = matches!(app.patience(), Patience::UntilEvent);
            if running == sleeps || app.patience() == Patience::None {
                failures.push(format!("{name}: after {step:?} it waits as {:?}", app.patience()));
            }
        }
        if found != *runs || desk.borrow().asked != *asked {
            failures.push(format!("{name}: {found} in place of {runs}, asked {} times", desk.borrow().asked));
        }
        drop(app);
        let desk = desk.borrow();
        if desk.open.is_some() || desk.windows > 0 {
            failures.push(format!("{name}: left behind: {:?}, {} windows", desk.open, desk.windows));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

fn take(step: Step, desk: &Shared, app: &mut App) {
    let fails = |trouble| desk.borrow_mut().trouble = Some(trouble);
    match step {
        Resume => drop(app.handle(Event::Resume)),
        Pause => drop(app.handle(Event::Pause)),
        Window => drop(app.handle(Event::Window(desk::window(desk)))),
        WindowLost => drop(app.handle(Event::WindowLost)),
        Turned => {
            let mut table = desk.borrow_mut();
            table.size = (table.size.1, table.size.0);
            table.turn = lineament_android::orientation::Turn::from_degrees(table.turn.degrees() + 90);
            drop(table);
            app.handle(Event::WindowChanged);
        }
        Frame => frame(desk, app),
        Allow => desk.borrow_mut().granted = true,
        Forbid => desk.borrow_mut().granted = false,
        Tap => touch(desk, app, MIDDLE, 0.1),
        Screen(number) => touch(desk, app, BUTTONS[number], 0.1),
        Back => assert!(app.handle(Event::Back), "going back from another screen is ours"),
        InUse => fails(CameraTrouble::InUse),
        Unplugged => fails(CameraTrouble::Disconnected),
        Denied => fails(CameraTrouble::Denied),
        NoCamera => desk.borrow_mut().cameras.clear(),
        Silence(secs) => {
            desk.borrow_mut().now_secs += f64::from(secs);
            app.work();
        }
    }
}

#[test]
fn going_back_from_the_camera_is_left_to_the_system() {
    let (_, mut app) = in_front(None);
    assert!(!app.handle(Event::Back));
}

#[test]
fn only_the_newest_frame_is_shown() {
    let (desk, mut app) = in_front(None);
    let before = desk.borrow().shows;
    desk.borrow_mut().waiting = 7;
    app.work();
    app.work();
    assert_eq!((desk.borrow().shows - before, desk.borrow().taken), (1, 7));
}

#[test]
fn any_sequence_of_events_leaves_nothing_behind() {
    // A linear congruential generator: the same sequences in every run.
    let mut state = 7u32;
    let mut random = |count: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % count
    };
    for _ in 0..12 {
        let (desk, mut app) = app(None);
        for _ in 0..40 {
            let step = match random(16) {
                0 | 1 => Resume,
                2 => Pause,
                3 | 4 => Window,
                5 => WindowLost,
                6 => Turned,
                7 => Allow,
                8 => Forbid,
                9 => Tap,
                10 => Screen(0),
                11 => Screen(2),
                12 => InUse,
                13 => Silence(random(4)),
                _ => Frame,
            };
            // The system never takes the permission from an app that it leaves alive.
            if !matches!(step, Forbid) || desk.borrow().open.is_none() {
                // Android loses a window before it gives another.
                if matches!(step, Window) {
                    take(WindowLost, &desk, &mut app);
                }
                take(step, &desk, &mut app);
            }
            assert!(desk.borrow().windows <= 1);
        }
        drop(app);
        assert!(desk.borrow().open.is_none() && desk.borrow().windows == 0);
    }
}
