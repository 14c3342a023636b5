import test from "ava";
import { decode } from "sixel";
import { keyOf } from "../../apps/tui/src/blessed/input.ts";
import { splitInput } from "../../apps/tui/src/blessed/replies.ts";
import { colourCode, of16, of256 } from "../../apps/tui/src/view/colours.ts";
import { type Frame, type Line, type Placed, span } from "../../apps/tui/src/view/frame.ts";
import { cellsOf, halfBlocks, shrunk } from "../../apps/tui/src/view/picture.ts";
import { depthOf, painted } from "../../apps/tui/src/view/theme.ts";
import { fakeTerminal } from "./support/fake-terminal.ts";

const frame = (lines: readonly string[], picture: Placed | null = null): Frame => ({
	lines: lines.map((text): Line => [span(text)]),
	picture,
});
/** A picture whose left half is red and whose right half is blue, unless told otherwise. */
const flag = (width: number, height: number, left = [255, 0, 0], right = [0, 0, 255]) => {
	const data = new Uint8Array(width * height * 4);
	for (let at = 0; at < width * height; at++) {
		data.set([...(at % width < width / 2 ? left : right), 255], at * 4);
	}
	return { width, height, data };
};

test("theme › writes no colour under NO_COLOR and no sign beyond ASCII without UTF-8", (t) => {
	const line = [span("✗ failed", "bad"), span(" ─ 日", "dim")];
	const text = painted(line, { name: "dark", depth: "none", ascii: true });
	t.is(text, "\u001b[1mx failed\u001b[0m - ?");
	t.true(painted(line, { name: "dark", depth: "256", ascii: false }).startsWith("\u001b[31m✗"));
});

test("theme › takes as many colours as the terminal says it has", (t) => {
	t.is(depthOf({ TERM: "xterm-256color", COLORTERM: "truecolor" }), "true");
	t.is(depthOf({ TERM: "tmux-256color" }), "256");
	t.is(depthOf({ TERM: "xterm" }), "16");
	t.is(depthOf({ TERM: "vt220" }), "none");
	t.is(depthOf({ TERM: "xterm-256color", COLORTERM: "truecolor", NO_COLOR: "1" }), "none");
});

test("colours › are the nearest that the terminal has", (t) => {
	t.is(colourCode(0x123456, "ink", "true"), "\u001b[38;2;18;52;86m");
	t.is(of256(0xff0000), 196);
	t.is(of256(0x808080), 244);
	t.is(of16(0xfa0505), 9);
	t.is(colourCode(0xff0000, "ground", "16"), "\u001b[101m");
	t.is(colourCode(0xff0000, "ground", "none"), "");
});

test("picture › keeps its shape and its colours as half blocks", (t) => {
	const pixels = flag(200, 100);
	t.deepEqual(cellsOf(pixels, { width: 40, height: 40 }), { width: 40, height: 10 });
	t.deepEqual(cellsOf(pixels, { width: 400, height: 10 }), { width: 40, height: 10 });
	t.deepEqual([...shrunk(pixels, 2, 1).data], [255, 0, 0, 255, 0, 0, 255, 255]);
	const lines = halfBlocks(pixels, { width: 40, height: 10 });
	t.is(lines.length, 10);
	t.deepEqual(
		lines[0]?.map(({ text, ink, ground }) => [text.length, ink, ground]),
		[
			[20, 0xff0000, 0xff0000],
			[20, 0x0000ff, 0x0000ff],
		],
	);
});

test("renderer › writes only lines that changed, and nothing for the same frame", (t) => {
	const { renderer, written } = fakeTerminal();
	t.regex(written(), /\?1049h/);
	renderer.paint(frame(["one", "two"]));
	t.regex(written(), /\[1;1Hone.*\[2;1Htwo/);
	renderer.paint(frame(["one", "two"]));
	t.is(written(), "");
	renderer.paint(frame(["one", "2"]));
	const change = written();
	t.regex(change, /\[2;1H2/);
	t.notRegex(change, /one/);
	renderer.close();
});

test("renderer › gives the terminal back once, and draws all anew when it comes back", (t) => {
	const { renderer, written, raw } = fakeTerminal({}, true);
	renderer.paint(frame(["one"]));
	written();
	renderer.leave();
	t.regex(written(), /\?1000l.*\?7h.*\?25h.*\?1049l/);
	renderer.paint(frame(["unseen"]));
	t.is(written(), "");
	renderer.comeBack();
	renderer.paint(frame(["one"]));
	t.regex(written(), /\?1049h.*one/);
	renderer.close();
	renderer.close();
	t.is(written().split("?1049l").length, 2);
	t.deepEqual(raw, [true, false, true, false]);
});

test("renderer › draws pixels where the terminal answers that it knows kitty's protocol", async (t) => {
	const { renderer, written, type, keys, untilGraphics } = fakeTerminal();
	const pixels = flag(8, 4);
	const picture: Placed = {
		...{ top: 1, left: 2, width: 4, height: 1, pixels },
		png: "x".repeat(5000),
	};
	await type("\u001b_Gi=31;OK\u001b\\\u001b[?62;c");
	await untilGraphics();
	written();
	renderer.paint(frame(["a", "b"], picture));
	const drawn = written();
	t.regex(drawn, /\[2;3H._Ga=T,f=100,i=\d+,c=4,r=1,C=1,q=2,m=1;x{4096}/);
	renderer.paint(frame(["a", "b"], picture));
	t.is(written(), "");
	renderer.paint(frame(["a", "c"], picture));
	t.regex(written(), /a=T/);
	renderer.paint(frame(["a", "c"]));
	t.regex(written(), /a=d/);
	t.deepEqual(keys, []);
	renderer.close();
});

test("renderer › draws sixels in the colours of the picture where the terminal knows them", async (t) => {
	const { renderer, written, type, untilGraphics } = fakeTerminal();
	await type("\u001b[6;10;5t\u001b[?62;4c");
	await untilGraphics();
	written();
	const pixels = flag(40, 40, [255, 255, 255], [0, 0, 0]);
	const picture: Placed = { top: 0, left: 0, width: 4, height: 2, pixels, png: "" };
	renderer.paint(frame(["a", "b"], picture));
	const code =
		written()
			.split("\u001b")
			.find((part) => part.startsWith("P")) ?? "";
	const image = decode(code.slice(code.indexOf("q") + 1));
	t.deepEqual([image.width, image.height], [20, 20]);
	t.is((image.data32[0] ?? 0) & 0xffffff, 0xffffff);
	t.is((image.data32[19] ?? 0) & 0xffffff, 0);
	renderer.paint(frame(["a", "b"]));
	t.regex(written(), /\[1;1Ha.*\[2;1Hb/);
	renderer.close();
});

test("input › tells of enter once and of typed characters with their text", (t) => {
	t.deepEqual(keyOf("\r", { full: "enter" }), { name: "enter", text: null });
	t.is(keyOf("\r", { full: "return" }), null);
	t.deepEqual(keyOf("G", { full: "S-g" }), { name: "S-g", text: "G" });
	t.deepEqual(keyOf("?", { full: undefined }), { name: "?", text: "?" });
	t.deepEqual(keyOf(" ", { full: "space" }), { name: "space", text: " " });
});

test("input › brings keys through and never takes an answer of the terminal for keys, in however many parts it comes", async (t) => {
	const { type, keys, clicks, renderer } = fakeTerminal({}, true);
	await type("j\u001b[?6");
	await type("2;1;c\u001b[A");
	await type("\u001b[<0;5;7M\u001b[<0;5;7m\u001b[<65;1;1Mq");
	await type("\u001b");
	t.deepEqual(
		keys.map(({ name }) => name),
		["j", "up", "q", "escape"],
	);
	t.deepEqual(clicks, [
		{ type: "mouse", act: "press", x: 4, y: 6 },
		{ type: "mouse", act: "down", x: 0, y: 0 },
	]);
	t.deepEqual(splitInput("\u001b[99;").typed, "\u001b[99;");
	renderer.close();
});
