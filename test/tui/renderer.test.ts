import test from "ava";
import { keyOf } from "../../apps/tui/src/blessed/input.ts";
import { span } from "../../apps/tui/src/view/frame.ts";
import { painted } from "../../apps/tui/src/view/theme.ts";

test("theme › writes no colour under NO_COLOR and no sign beyond ASCII without UTF-8", (t) => {
	const line = [span("✗ failed", "bad"), span(" ─ 日", "dim")];
	const text = painted(line, { colour: false, ascii: true });
	t.is(text, "\u001b[1mx failed\u001b[0m - ?");
	t.true(painted(line, { colour: true, ascii: false }).startsWith("\u001b[31m✗"));
});

test("input › tells of enter once and of typed characters with their text", (t) => {
	t.deepEqual(keyOf("\r", { full: "enter" }), { name: "enter", text: null });
	t.is(keyOf("\r", { full: "return" }), null);
	t.deepEqual(keyOf("G", { full: "S-g" }), { name: "S-g", text: "G" });
	t.deepEqual(keyOf("?", { full: undefined }), { name: "?", text: "?" });
	t.deepEqual(keyOf(" ", { full: "space" }), { name: "space", text: " " });
});
