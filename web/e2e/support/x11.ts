/** The session's X server, as a program in the workspace sees it. */

import { inside } from './engine';

/** Prints the pointer's place and what is held or locked; with a place, puts the pointer there first. */
const POINTER = `
import ctypes, sys
x = ctypes.CDLL('libX11.so.6')
x.XOpenDisplay.restype = ctypes.c_void_p
x.XDefaultRootWindow.restype = ctypes.c_ulong
d = ctypes.c_void_p(x.XOpenDisplay(None))
root = ctypes.c_ulong(x.XDefaultRootWindow(d))
if len(sys.argv) > 2:
    x.XWarpPointer(d, ctypes.c_ulong(0), root, 0, 0, 0, 0, int(sys.argv[1]), int(sys.argv[2]))
    x.XSync(d, 0)
ids = [ctypes.c_ulong(), ctypes.c_ulong()]
at = [ctypes.c_int() for _ in range(4)]
mask = ctypes.c_uint()
x.XQueryPointer(d, root, *[ctypes.byref(i) for i in ids + at], ctypes.byref(mask))
print(at[0].value, at[1].value, mask.value)
`;

/** Where the pointer is, and the mask of modifiers, locks and buttons. */
export interface PointerState {
  readonly x: number;
  readonly y: number;
  readonly mask: number;
}

export const Mask = { capsLock: 2, numLock: 16, left: 1 << 8, right: 1 << 10 } as const;

/** Asks the X server; `warp` puts the pointer somewhere first, as games do. */
export async function pointer(
  workspace: string,
  warp?: readonly [x: number, y: number],
): Promise<PointerState> {
  const where = warp ? warp.map(String) : [];
  const printed = await inside(workspace, 'python3', '-c', POINTER, ...where);
  const [x = 0, y = 0, mask = 0] = printed.trim().split(' ').map(Number);
  return { x, y, mask };
}
