import { judgeScreen, KnibError } from "@knib/core";
import test from "ava";
import { PNG } from "pngjs";
import { decodePng } from "../../../apps/host-daemon/src/hypervisor/decode-png.ts";

const picture = (width: number, height: number, white: number): Buffer => {
	const png = new PNG({ width, height });
	png.data.fill(0);
	for (let pixel = 0; pixel < width * height; pixel++) png.data[pixel * 4 + 3] = 255;
	png.data.fill(255, 0, white * 4);
	return PNG.sync.write(png);
};

test("decodePng › gives pixels that can be judged", (t) => {
	const screen = decodePng(picture(720, 400, 9000));
	t.is(screen.width, 720);
	t.true(judgeScreen(screen, decodePng(picture(720, 400, 0))).ok);
	t.false(judgeScreen(decodePng(picture(720, 400, 0)), null).ok);
});

const fails = (bytes: Uint8Array): string | undefined => {
	try {
		decodePng(bytes);
		return undefined;
	} catch (thrown) {
		return thrown instanceof KnibError ? thrown.code : "another error";
	}
};

test("decodePng › refuses what is no PNG, is torn, or claims to be huge", (t) => {
	t.is(fails(Buffer.from("P6 720 400 255")), "COMMAND_FAILED");
	t.is(fails(new Uint8Array()), "COMMAND_FAILED");
	t.is(fails(picture(720, 400, 5).subarray(0, 60)), "COMMAND_FAILED");
	const bomb = Buffer.from(picture(1, 1, 1));
	bomb.writeUInt32BE(100_000, 16);
	bomb.writeUInt32BE(100_000, 20);
	t.is(fails(bomb), "COMMAND_FAILED");
});
