import test from "ava";
import { paletteOf } from "../../../apps/tui/src/app/modal.ts";
import { placeIn, type ScreenName } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { KEYMAP } from "../../../apps/tui/src/keymap/keymap.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { wrap } from "../../../apps/tui/src/widgets/wrap.ts";
import { aState, placed, pressed } from "../../tui/support/states.ts";

const ENTER = { type: "key", key: { name: "enter", text: null } } as const;
const PLACES: readonly ScreenName[] = ["dashboard", "vms", "backups", "jobs", "offerings"];

for (const { action, label } of KEYMAP.filter((one) => one.action.startsWith("go-"))) {
	test(`palette › a colon and ${label} go there from everywhere, whatever else speaks of it`, (t) => {
		for (const from of PLACES) {
			const [state, effects] = update(pressed(placed(aState(), from), ":", ...label), ENTER);
			t.is<string, string>(placeIn(state).route.screen, action.slice(3), from);
			t.false(effects.some(({ type }) => type === "quit"));
		}
	});
}

test("palette › offers what is called so before what only speaks of it", (t) => {
	const labels = paletteOf(placed(aState(), "backups"), "res").map(({ binding }) => binding.label);
	t.is(labels[0], "restore");
});

test("wrap › breaks where a text has line breaks", (t) => {
	t.deepEqual(wrap("virsh failed:\nerror: no socket\r\nat all", 40), [
		...["virsh failed:", "error: no socket", "at all"],
	]);
});

test("footer › leaves out what changes something with --read-only, also without colours to grey it", (t) => {
	const shown = frameText(view(placed({ ...aState(), readOnly: true }, "backups")));
	const footer = shown.split("\n").at(-1) ?? "";
	t.notRegex(footer, /validate|delete|restore/);
	t.regex(footer, /enter open/);
});
