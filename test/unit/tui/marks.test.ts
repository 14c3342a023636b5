// What is marked is what acts take, also those that have a form before them.
import { KnibError } from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import test from "ava";
import { runEffect } from "../../../apps/tui/src/app/effects.ts";
import type { Msg } from "../../../apps/tui/src/app/msg.ts";
import type { State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { VM_UUID } from "../../support/builders/facts.ts";
import { aState, aVmView, placed, pressed } from "../../tui/support/states.ts";

const ENTER = { type: "key", key: { name: "enter", text: null } } as const;

const marked = (): State => {
	const known = aState();
	const vms = ["web01", "web02", "web03"].map((name, n) =>
		aVmView({ name, uuid: VM_UUID.replace("1", String(n + 1)) }),
	);
	return pressed(placed({ ...known, data: { ...known.data, vms } }, "vms"), "space", "space");
};

const linesOf = (state: State): readonly string[] => {
	const [, [effect]] = update(state, ENTER);
	return effect?.type === "plan" ? effect.acts.map(({ cli }) => cli) : [];
};

test("marks › a form is filled in once for all that is marked", (t) => {
	const form = pressed(marked(), "b", "space");
	t.regex(frameText(view(form)), /back up web01, and 1 more\n back up web02/);
	t.deepEqual(linesOf(form), [
		"knib backup create web01 --isolated",
		"knib backup create web02 --isolated",
	]);
});

test("marks › each act of a form has its own name", (t) => {
	const [, [effect]] = update(pressed(marked(), "b"), ENTER);
	t.deepEqual(effect?.type === "plan" ? effect.acts.map(({ title }) => title) : [], [
		...["back up web01", "back up web02"],
	]);
});

test("marks › what takes one at a time says so instead of taking only the selected", (t) => {
	const state = pressed(placed({ ...aState(), blocked: {} }, "backups"), "space", "space", "S-r");
	t.is(state.modal, null);
	t.regex(state.toast?.text ?? "", /one at a time, and 2 are marked/);
	t.is(pressed(state, "escape", "S-r").modal?.kind, "form");
});

test("marks › do not keep something new from being made", (t) => {
	const known = aState();
	const state = pressed(placed(known, "repositories"), "space", "a");
	t.is(state.modal?.kind, "form");
});

test("marks › what is wrong in a form for several is said once", (t) => {
	const form = pressed(marked(), "e");
	const [wrong, effects] = update(form, ENTER);
	t.deepEqual(effects, []);
	t.is(wrong.modal?.kind === "form" ? wrong.modal.error : null, "fill in what is to change");
});

test("marks › of several acts of which one is refused, the form comes back for those that were not done", async (t) => {
	const form = pressed(marked(), "b");
	const [consent, [effect]] = update(form, ENTER);
	if (effect?.type !== "plan") return t.fail();
	const { acts } = effect;
	const [planned] = update(consent, { type: "planned", acts, plans: [null, null] });
	const [doing] = update(planned, ENTER);
	const started: string[] = [];
	const told: Msg[] = [];
	const start = async (request: { readonly vm: string }) => {
		if (started.length > 0) throw new KnibError("VM_BUSY", "web02 is busy");
		started.push(request.vm);
		return { id: "0196f000-0000-7000-8000-0000000b0001" };
	};
	// A client that can only start jobs.
	const client = { api: { job: { start: { mutate: start } } } } as unknown as KnibClient;
	await runEffect(client, { type: "act", acts }, (msg) => told.push(msg));
	const failed = told.find(({ type }) => type === "failed");
	if (failed === undefined) return t.fail();
	const [back] = update(doing, failed);
	t.regex(frameText(view(back)), /back up web02\n[\s\S]*✗ 1 of 2 done; then: web02 is busy/);
	t.deepEqual(linesOf(back), ["knib backup create web02"]);
});
