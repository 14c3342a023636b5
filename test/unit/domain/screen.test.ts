import { type Bitmap, differingPixels, inkOf, judgeScreen } from "@knib/core";
import test from "ava";

/** A black picture with `ink` white pixels from `from` on. */
const picture = (ink: number, from = 0, width = 720, height = 400): Bitmap => {
	const data = new Uint8Array(width * height * 4);
	for (let pixel = 0; pixel < width * height; pixel++) data[pixel * 4 + 3] = 255;
	data.fill(255, from * 4, (from + ink) * 4);
	return { width, height, data };
};

test("judgeScreen › refuses a screen of one colour, with or without a cursor", (t) => {
	t.false(judgeScreen(picture(0), null).ok);
	t.false(judgeScreen(picture(0, 0, 1024, 768), null).ok);
	t.false(judgeScreen(picture(144), picture(5000)).ok);
});

test("judgeScreen › refuses what the firmware showed right after the start, blinking cursor aside", (t) => {
	const verdict = judgeScreen(picture(5100), picture(5000));
	t.false(verdict.ok);
	t.regex(verdict.message, /firmware/);
});

test("judgeScreen › accepts what the guest has drawn", (t) => {
	t.true(judgeScreen(picture(9000), picture(5000)).ok);
	t.true(judgeScreen(picture(5000, 60_000), picture(5000)).ok);
	t.true(judgeScreen(picture(9000), null).ok);
});

test("judgeScreen › takes a changed resolution for the guest's work", (t) => {
	t.true(judgeScreen(picture(5000, 0, 1024, 768), picture(5000)).ok);
});

test("inkOf and differingPixels › count pixels", (t) => {
	t.is(inkOf(picture(300)), 300);
	t.is(differingPixels(picture(300), picture(300, 10)), 20);
	t.is(differingPixels(picture(1), picture(1, 0, 10, 10)), 720 * 400);
});

test("judgeScreen › reads no colour beyond a picture that is shorter than it says", (t) => {
	const short: Bitmap = { width: 100, height: 100, data: new Uint8Array(40) };
	t.notThrows(() => judgeScreen(short, short));
});
