// The console's picture as PNG. libvirt gives what qemu makes: PNG since qemu 7.1, before that a portable pixmap, which is
// rewritten here.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { KnibError } from "@knib/core";
import { virshArgv } from "./virsh-argv.ts";
import type { Virsh } from "./virsh-client.ts";

const PNG = Buffer.from("89504e470d0a1a0a", "hex");

const chunk = (type: string, data: Buffer): Buffer => {
	const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
	const out = Buffer.alloc(body.length + 8);
	out.writeUInt32BE(data.length, 0);
	body.copy(out, 4);
	out.writeUInt32BE(crc32(body), body.length + 4);
	return out;
};

/** A binary pixmap (P6, 8 bits) as PNG; undefined when it is none. Pure. */
export const pixmapToPng = (bytes: Buffer): Buffer | undefined => {
	const header = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/.exec(
		bytes.subarray(0, 64).toString("latin1"),
	);
	const width = Number(header?.[1]);
	const height = Number(header?.[2]);
	const start = header?.[0].length ?? 0;
	if (header === null || bytes.length - start < width * height * 3) return undefined;
	const rows = Buffer.alloc((width * 3 + 1) * height);
	for (let y = 0; y < height; y += 1) {
		const from = start + y * width * 3;
		bytes.copy(rows, y * (width * 3 + 1) + 1, from, from + width * 3);
	}
	const size = Buffer.alloc(13);
	size.writeUInt32BE(width, 0);
	size.writeUInt32BE(height, 4);
	size.set([8, 2, 0, 0, 0], 8);
	return Buffer.concat([
		PNG,
		chunk("IHDR", size),
		chunk("IDAT", deflateSync(rows)),
		chunk("IEND", Buffer.alloc(0)),
	]);
};

/** PNG of a VM's console. Rejects with COMMAND_FAILED when libvirt gives another kind of picture. */
export const takeScreenshot = async (virsh: Virsh, uuid: string): Promise<Uint8Array> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-screenshot-"));
	try {
		const file = join(directory, "console");
		await virsh(virshArgv.screenshot(uuid, file));
		const bytes = await readFile(file);
		const png = bytes.subarray(0, PNG.length).equals(PNG) ? bytes : pixmapToPng(bytes);
		if (png === undefined) {
			throw new KnibError("COMMAND_FAILED", "the console's picture is neither PNG nor a pixmap");
		}
		return png;
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
};
