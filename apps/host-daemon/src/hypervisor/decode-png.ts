import { type Bitmap, KnibError } from "@knib/core";
import { PNG } from "pngjs";

/** The largest screenshot that is read, bytes. */
export const LARGEST_SCREENSHOT = 32 * 1024 * 1024;

const MAXIMUM_PIXELS = 64 * 1024 * 1024;
const SIGNATURE = "89504e470d0a1a0a";

/** Reads a PNG. Its size is looked at before anything is unpacked, since what is in it comes from a guest. Throws COMMAND_FAILED. */
export const decodePng = (bytes: Uint8Array): Bitmap => {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const bad = (why: string, cause?: unknown): KnibError =>
		new KnibError("COMMAND_FAILED", `the screenshot cannot be read: ${why}`, { cause });
	if (buffer.length > LARGEST_SCREENSHOT) throw bad("it is too large");
	if (buffer.length < 24 || buffer.subarray(0, 8).toString("hex") !== SIGNATURE) {
		throw bad("it is no PNG");
	}
	const pixels = buffer.readUInt32BE(16) * buffer.readUInt32BE(20);
	if (pixels === 0 || pixels > MAXIMUM_PIXELS) throw bad(`it has ${pixels} pixels`);
	try {
		const { width, height, data } = PNG.sync.read(buffer);
		return { width, height, data };
	} catch (thrown) {
		throw bad(thrown instanceof Error ? thrown.message : String(thrown), thrown);
	}
};
