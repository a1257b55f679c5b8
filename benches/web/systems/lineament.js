// The whole path: one face is followed, new ones are searched five times per second.

export async function load() {
  const { Lineament } = await import('/apps/web/dist/lineament/lineament.js');
  const lineament = await Lineament.create();
  return async (frame, timeMs) => {
    const faces = await lineament.track(frame, timeMs);
    frame.close();
    return faces.length;
  };
}
