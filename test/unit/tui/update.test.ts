import { offeringFieldsSchema } from "@knib/core";
import test from "ava";
import { placeIn } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { backupId } from "../../support/builders/facts.ts";
import { aJobView, aState, placed, pressed } from "../../tui/support/states.ts";

test("update › keeps the selection by id when rows come before it", (t) => {
	const state = pressed(placed(aState(), "jobs"), "j");
	const { selected } = placeIn(state);
	const job = aJobView({ id: "0196f000-0000-7000-8000-0000000b0009" });
	const [next] = update(state, { type: "job-event", event: { type: "job", job } });
	t.is(placeIn(next).selected, selected);
});

test("update › deletes nothing before the whole word is typed", (t) => {
	const asked = pressed(placed(aState(), "backups"), "d");
	t.is(asked.modal?.kind, "confirm");
	if (asked.modal?.kind !== "confirm") return;
	const [planned] = update(asked, { type: "planned", acts: asked.modal.acts, plans: [null] });
	const enter = { type: "key", key: { name: "enter", text: null } } as const;
	t.deepEqual(update(pressed(planned, "0", "0"), enter)[1], []);
	const [, effects] = update(pressed(planned, ...backupId(2).slice(-8)), enter);
	t.deepEqual(effects, [{ type: "act", acts: asked.modal.acts }]);
});

test("update › does nothing before the plan has been shown", (t) => {
	const asked = pressed(placed(aState(), "backups"), "v");
	t.deepEqual(update(asked, { type: "key", key: { name: "enter", text: null } })[1], []);
});

test("update › asks for a plan of the restore that the form says", (t) => {
	const form = pressed(placed({ ...aState(), blocked: {} }, "backups"), "S-r");
	const [, effects] = update(form, { type: "key", key: { name: "enter", text: null } });
	const [effect] = effects;
	t.is(effect?.type, "plan");
	t.is(
		effect?.type === "plan" ? effect.acts[0]?.cli : "",
		"knib restore new 00000002 --as web01-restored",
	);
});

test("update › attaches the disk that the form says", (t) => {
	const form = pressed(placed({ ...aState(), blocked: {} }, "backups"), "S-a");
	const [, [effect]] = update(form, { type: "key", key: { name: "enter", text: null } });
	t.is(
		effect?.type === "plan" ? effect.acts[0]?.cli : "",
		"knib restore disk 00000002 vda --to web01",
	);
});

test("update › says why a blocked act does nothing", (t) => {
	const state = pressed(placed(aState(), "backup", backupId(1)), "S-r");
	t.is(state.modal, null);
	t.is(state.toast?.text, "restore: it cannot be done now: it is being validated");
});

test("update › goes back from marks to filter to the screen before", (t) => {
	const marked = pressed(placed(aState(), "vms"), "/", "w", "enter", "space");
	t.deepEqual([placeIn(marked).marks.length, placeIn(marked).filter], [1, "w"]);
	const home = pressed(marked, "escape", "escape", "escape");
	t.is(placeIn(home).route.screen, "dashboard");
});

test("update › copies the command line of what is selected", (t) => {
	const [, effects] = update(placed(aState(), "vms"), {
		type: "key",
		key: { name: "y", text: "y" },
	});
	t.deepEqual(effects, [{ type: "copy", text: "knib vm show web01" }]);
});

test("update › keeps the data of a lost daemon and its age", (t) => {
	const [lost] = update(aState(), { type: "link", state: "lost", message: "gone" });
	const [later] = update(
		{ ...lost, now: lost.now + 5000 },
		{ type: "link", state: "lost", message: "gone" },
	);
	t.is(later.link.since, lost.now);
	t.is(later.data.vms?.length, 2);
});

test("update › goes from a backup into its files, and reads a directory once it is entered", (t) => {
	const disks = pressed(placed(aState(), "backup", backupId(2)), "l");
	t.is(placeIn(disks).route.screen, "files");
	const [, effects] = update(disks, { type: "key", key: { name: "enter", text: null } });
	t.deepEqual(effects, [{ type: "files", id: `${backupId(2)}\nvda\n\n` }]);
});

test("update › reads no files again when a job has ended", (t) => {
	const state = placed(aState(), "files", `${backupId(2)}\nvda\n1\n/etc`);
	const [, effects] = update(state, { type: "job-event", event: { type: "end", job: aJobView() } });
	t.deepEqual(
		effects.map(({ type }) => type),
		["refresh"],
	);
});

test("update › selects with a click, opens with the next, and moves with the wheel", (t) => {
	const state = placed(aState(), "backups");
	const click = { type: "mouse", act: "press", x: 5, y: 4 } as const;
	const [selected] = update(state, click);
	t.is(placeIn(selected).selected, backupId(1));
	const [opened] = update(selected, click);
	t.deepEqual(placeIn(opened).route, { screen: "backup", id: backupId(1) });
	const [wheeled] = update(selected, { type: "mouse", act: "up", x: 0, y: 0 });
	t.is(placeIn(wheeled).selected, backupId(2));
});

test("update › names in a changed offering only what differs", (t) => {
	const fields = offeringFieldsSchema.parse({ name: "gold" });
	const offerings = [{ ...fields, id: "o1", vms: 1, default: false, createdAt: "" }];
	const known = aState();
	const state = placed({ ...known, data: { ...known.data, offerings } }, "offerings");
	const form = pressed(state, "e", "down", "down", "space");
	const [, effects] = update(form, { type: "key", key: { name: "enter", text: null } });
	const [effect] = effects;
	const act = effect?.type === "plan" ? effect.acts[0] : undefined;
	t.is(act?.cli, "knib offering update gold --compress");
	t.deepEqual(act?.does, {
		kind: "change",
		change: { call: "update-offering", offering: "o1", changes: { compress: true } },
	});
});

test("update › restores over a VM's disks only once its name is typed, and says how to go back", (t) => {
	const form = pressed(placed(aState(), "backups"), "S-i", "space");
	const [asked, effects] = update(form, { type: "key", key: { name: "enter", text: null } });
	const [effect] = effects;
	const acts = effect?.type === "plan" ? effect.acts : [];
	t.is(acts[0]?.cli, "knib restore vm 00000002 --shutdown");
	t.is(acts[0]?.undo, "knib restore undo web01");
	const [planned] = update(asked, { type: "planned", acts, plans: [null] });
	const enter = { type: "key", key: { name: "enter", text: null } } as const;
	t.deepEqual(update(planned, enter)[1], []);
	t.deepEqual(update(pressed(planned, ..."web01"), enter)[1], [{ type: "act", acts }]);
});

test("update › reads a list of the mesh or of rules when its screen comes up, and while it is looked at", (t) => {
	const zero = { type: "key", key: { name: "0", text: "0" } } as const;
	const [peers, effects] = update(aState(), zero);
	t.is(placeIn(peers).route.screen, "peers");
	t.deepEqual(effects, [{ type: "list", list: "peers" }]);
	const now = peers.now - (peers.now % 5000) + 5000;
	const [later, again] = update(peers, { type: "tick", now });
	t.deepEqual(again, [{ type: "list", list: "peers" }]);
	t.deepEqual(update(later, { type: "tick", now: now + 1000 })[1], []);
	t.deepEqual(update(aState(), { type: "tick", now })[1], []);
});

test("update › shows an invitation's code until it is left, and copies it", (t) => {
	const told = { title: "a code", lines: ["CODE"], copies: "CODE" };
	const [shown] = update(placed(aState(), "peers"), { type: "told", told });
	const [kept, effects] = update(shown, { type: "key", key: { name: "y", text: "y" } });
	t.deepEqual(effects, [{ type: "copy", text: "CODE" }]);
	t.is(pressed(kept, "x").modal?.kind, "told");
	t.is(pressed(kept, "escape").modal, null);
});

test("update › gives this host a new key once its name is typed, whatever is selected or marked", (t) => {
	const asked = pressed(placed(aState(), "peers"), "space", "j", "space", "S-k");
	const acts = asked.modal?.kind === "confirm" ? asked.modal.acts : [];
	t.deepEqual(
		acts.map(({ cli, word, does }) => ({ cli, word, does })),
		[
			{
				cli: "knib peer rotate-key",
				word: "here",
				does: { kind: "change", change: { call: "rotate-key" } },
			},
		],
	);
	const [planned] = update(asked, { type: "planned", acts, plans: [null] });
	const enter = { type: "key", key: { name: "enter", text: null } } as const;
	t.deepEqual(update(planned, enter)[1], []);
	t.deepEqual(update(pressed(planned, ..."here"), enter)[1], [{ type: "act", acts }]);
});

test("update › goes by name to a screen that has no key", (t) => {
	t.is(placeIn(pressed(aState(), ":", ..."selectors", "enter")).route.screen, "selectors");
});

test("update › asks for a value to be taken away from a VM alone", (t) => {
	const form = pressed(
		placed(aState(), "settings"),
		"z",
		"down",
		..."web01",
		"up",
		"right",
		"right",
	);
	const asked = pressed(form, "enter");
	if (asked.modal?.kind !== "confirm") return t.fail();
	t.is(asked.modal.acts[0]?.cli, "knib settings unset backup.chain.size --vm web01");
});
