import { inflateSync } from "node:zlib";
import test from "ava";
import { pixmapToPng } from "../../../apps/host-daemon/src/hypervisor/screenshot.ts";

test("pixmapToPng › keeps every pixel", (t) => {
	const pixels = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
	const png = pixmapToPng(Buffer.concat([Buffer.from("P6\n2 2\n255\n"), pixels]));
	t.is(png?.subarray(1, 4).toString(), "PNG");
	t.is(png?.readUInt32BE(16), 2);
	const length = png?.readUInt32BE(33) ?? 0;
	const rows = inflateSync(png?.subarray(41, 41 + length) ?? Buffer.alloc(0));
	t.deepEqual([...rows], [0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12]);
});

test("pixmapToPng › refuses other files and short ones", (t) => {
	t.is(pixmapToPng(Buffer.from("GIF89a")), undefined);
	t.is(pixmapToPng(Buffer.from("P6\n2 2\n255\n123")), undefined);
});
