import test from "ava";
import { update } from "../../../apps/tui/src/app/update.ts";
import { KEYMAP } from "../../../apps/tui/src/keymap/keymap.ts";
import { backupId } from "../../support/builders/facts.ts";
import { aFilesView, aState, placed } from "../../tui/support/states.ts";

const FILES = [backupId(1), "vda", "1", "/etc"].join("\n");
const targets = {
	global: placed(aState(), "dashboard"),
	vm: placed(aState(), "vms"),
	backup: placed(aState(), "backups"),
	chain: placed(aState(), "chains"),
	job: placed(aState(), "jobs"),
	repository: placed(aState(), "repositories"),
	setting: placed(aState(), "settings"),
	offering: placed(aState(), "offerings"),
	host: placed(aState(), "hosts"),
	peer: placed(aState(), "peers"),
	schedule: placed(aState(), "schedules"),
	selector: placed(aState(), "selectors"),
	file: { ...placed(aState(), "files", FILES), files: { [FILES]: aFilesView() } },
	check: placed(aState(), "doctor"),
};

test("keymap › has no key twice in one context", (t) => {
	for (const context of new Set(KEYMAP.map((one) => one.context))) {
		const keys = KEYMAP.filter((one) => one.context === context).flatMap((one) => one.keys);
		t.deepEqual(keys, [...new Set(keys)], context);
	}
});

test("keymap › has help for every row", (t) => {
	for (const one of KEYMAP) t.regex(one.help, /^.{5,}$/, one.action);
});

test("keymap › has nothing that changes something on a control key", (t) => {
	for (const one of KEYMAP.filter(({ changes }) => changes)) {
		t.false(
			one.keys.some((key) => key.startsWith("C-")),
			one.action,
		);
	}
});

for (const { context, keys, action } of KEYMAP.filter((one) => one.changes)) {
	test(`keymap › handles ${action} on a ${context}`, (t) => {
		const [next] = update(targets[context], {
			type: "key",
			key: { name: keys[0] ?? "", text: null },
		});
		t.true(next.modal !== null || next.toast !== null);
	});
	test(`keymap › refuses ${action} on a ${context} with --read-only and says so`, (t) => {
		const state = { ...targets[context], readOnly: true };
		const [next, effects] = update(state, {
			type: "key",
			key: { name: keys[0] ?? "", text: null },
		});
		t.is(next.modal, null);
		t.deepEqual(effects, []);
		t.regex(next.toast?.text ?? "", /--read-only/);
	});
}
