//! What only Java answers: the permission, and how the screen is turned.

use android_activity::AndroidApp;
use jni::errors::Result;
use jni::objects::{JObject, JValue};
use jni::sys::jobject;
use jni::{Env, JavaVM, jni_sig, jni_str};

use crate::orientation::Turn;
use crate::platform::Permission;

const CAMERA: &str = "android.permission.CAMERA";
/// `PackageManager.PERMISSION_GRANTED`.
const GRANTED: i32 = 0;
/// Returned to nobody: NativeActivity drops the answer, so the app looks again when it resumes.
const REQUEST: i32 = 1;

/// Calls Java with the activity. An exception is an error here, and is forgotten there.
fn with_activity<T>(app: &AndroidApp, call: impl FnOnce(&mut Env, &JObject) -> Result<T>) -> Result<T> {
    // SAFETY: the pointer is that of the process's only virtual machine.
    let vm = unsafe { JavaVM::from_raw(app.vm_as_ptr().cast()) };
    vm.attach_current_thread(|env| {
        let activity = app.activity_as_ptr() as jobject;
        // SAFETY: `app` holds a global reference as long as it lives.
        let activity = unsafe { env.as_cast_raw::<jni::refs::Global<JObject>>(&activity)? };
        call(env, activity.as_ref())
    })
}

pub struct CameraPermission {
    app: AndroidApp,
}

impl CameraPermission {
    pub fn new(app: AndroidApp) -> Self {
        Self { app }
    }
}

impl Permission for CameraPermission {
    fn granted(&mut self) -> bool {
        let answer = with_activity(&self.app, |env, activity| {
            let name = env.new_string(CAMERA)?;
            let name = [JValue::Object(&name)];
            env.call_method(activity, jni_str!("checkSelfPermission"), jni_sig!((java.lang.String) -> int), &name)?.i()
        });
        matches!(answer, Ok(GRANTED))
    }

    fn ask(&mut self) {
        let app = self.app.clone();
        // Only the main thread may start other activities, of which the system's question is one.
        self.app.run_on_java_main_thread(Box::new(move || {
            let asked = with_activity(&app, |env, activity| {
                let name = env.new_string(CAMERA)?;
                let names = env.new_object_array(1, jni_str!("java/lang/String"), &name)?;
                let arguments = [JValue::Object(&names), JValue::Int(REQUEST)];
                let signature = jni_sig!(([java.lang.String], int) -> void);
                env.call_method(activity, jni_str!("requestPermissions"), signature, &arguments)?.v()
            });
            if let Err(error) = asked {
                eprintln!("the permission cannot be asked for: {error}");
            }
        }));
    }
}

/// `Display.getRotation`, which counts quarter turns; none where Java fails.
pub fn display_turn(app: &AndroidApp) -> Turn {
    let rotation = with_activity(app, |env, activity| {
        let signature = jni_sig!(() -> android.view.WindowManager);
        let manager = env.call_method(activity, jni_str!("getWindowManager"), signature, &[])?.l()?;
        let signature = jni_sig!(() -> android.view.Display);
        let display = env.call_method(&manager, jni_str!("getDefaultDisplay"), signature, &[])?.l()?;
        env.call_method(&display, jni_str!("getRotation"), jni_sig!(() -> int), &[])?.i()
    });
    Turn::from_degrees(90 * rotation.unwrap_or(0).rem_euclid(4))
}
