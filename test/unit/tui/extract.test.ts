import test from "ava";
import type { State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { backupId } from "../../support/builders/facts.ts";
import { aFilesView, aState, placed, pressed } from "../../tui/support/states.ts";

const PLACE = [backupId(1), "vda", "1", "/etc"].join("\n");
const ENTER = { type: "key", key: { name: "enter", text: null } } as const;
const browsing = (): State => ({
	...placed(aState(), "files", PLACE),
	files: { [PLACE]: aFilesView() },
});

test("extract › brings out what is marked, by one job", (t) => {
	const form = pressed(browsing(), "space", "space", "x");
	t.is(form.modal?.kind, "form");
	const [, [effect]] = update(form, ENTER);
	const [act, ...more] = effect?.type === "plan" ? effect.acts : [];
	t.deepEqual(more, []);
	t.is(
		act?.cli,
		"knib files extract 00000001 /etc/ssh /etc/passwd --disk vda --partition 1 --output /var/tmp/knib-00000001",
	);
	t.deepEqual(act?.does, {
		kind: "job",
		request: {
			...{ type: "ExtractFiles", backup: backupId(1), disk: "vda", partition: "1" },
			...{ paths: ["/etc/ssh", "/etc/passwd"], directory: "/var/tmp/knib-00000001" },
			overwrite: false,
		},
	});
});

test("extract › brings out what is selected where nothing is marked", (t) => {
	const form = pressed(browsing(), "j", "x");
	const [, [effect]] = update(form, ENTER);
	const [act] = effect?.type === "plan" ? effect.acts : [];
	t.regex(act?.cli ?? "", /files extract 00000001 \/etc\/passwd --disk/);
});

test("extract › wants an absolute directory", (t) => {
	const form = pressed(browsing(), "x", "C-u", ..."here");
	const [refused, effects] = update(form, ENTER);
	t.deepEqual(effects, []);
	t.regex(refused.modal?.kind === "form" ? (refused.modal.error ?? "") : "", /absolute path/);
});

test("extract › copies the command line of a file", (t) => {
	const [, effects] = update(browsing(), { type: "key", key: { name: "y", text: "y" } });
	t.deepEqual(effects, [
		{ type: "copy", text: "knib files list 00000001 --disk vda --partition 1 /etc/ssh" },
	]);
});

test("extract › tries a listing again that has failed, and no other", (t) => {
	const again = { type: "key", key: { name: "r", text: "r" } } as const;
	const failed = { ...browsing(), files: { [PLACE]: "the appliance did not start" } };
	t.deepEqual(update(failed, again)[1].at(-1), { type: "files", id: PLACE });
	t.deepEqual(update(browsing(), again)[1], [{ type: "refresh", vm: null }]);
});
