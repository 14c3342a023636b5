// What the daemon refuses goes back to the form that it came from, with all that was filled in.
import test from "ava";
import type { Act } from "../../../apps/tui/src/app/acts.ts";
import type { State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { aState, placed, pressed } from "../../tui/support/states.ts";

const ENTER = { type: "key", key: { name: "enter", text: null } } as const;
const REFUSED = "there is an offering gold already; next: choose another name";

/** A filled-in form for a new offering, and the acts of its consent. */
const asked = (): readonly [State, readonly Act[]] => {
	const form = pressed(placed(aState(), "offerings"), "a", ..."gold");
	const [consent, [effect]] = update(form, ENTER);
	return [consent, effect?.type === "plan" ? effect.acts : []];
};

const nameIn = ({ modal }: State): string | undefined =>
	modal?.kind === "form" ? modal.fields.find(({ name }) => name === "name")?.value : undefined;

test("refused › in planning, a form comes back with what was filled in and the reason", (t) => {
	const [consent, acts] = asked();
	const [refused] = update(consent, { type: "failed", acts, done: 0, text: REFUSED });
	t.is(nameIn(refused), "gold");
	const shown = frameText(view(refused));
	t.regex(shown, /gold/);
	t.regex(shown, /✗ there is an offering gold already/);
});

test("refused › in doing, a form comes back too", (t) => {
	const [consent, acts] = asked();
	const [planned] = update(consent, { type: "planned", acts, plans: [null] });
	const [doing, effects] = update(planned, ENTER);
	t.deepEqual(effects, [{ type: "act", acts }]);
	t.is(doing.modal, null);
	const [refused] = update(doing, { type: "failed", acts, done: 0, text: REFUSED });
	t.is(nameIn(refused), "gold");
	const [done] = update(doing, { type: "done", text: "done", job: null });
	t.is(done.asked, null);
});

test("refused › in doing, a form does not come over what was opened meanwhile", (t) => {
	const [consent, acts] = asked();
	const [planned] = update(consent, { type: "planned", acts, plans: [null] });
	const help = pressed(update(planned, ENTER)[0], "?");
	const [refused] = update(help, { type: "failed", acts, done: 0, text: REFUSED });
	t.is(refused.modal?.kind, "help");
	t.is(refused.toast?.text, REFUSED);
});

test("refused › leaving the consent goes back to the form, and from there to the screen", (t) => {
	const [consent] = asked();
	const form = pressed(consent, "escape");
	t.is(nameIn(form), "gold");
	t.is(pressed(form, "escape").modal, null);
});

test("refused › another act's refusal leaves the consent that is open", (t) => {
	const [consent] = asked();
	const [other] = update(consent, { type: "failed", acts: [], done: 0, text: "no" });
	t.is(other.modal?.kind, "confirm");
});

test("refused › the reason is seen at the foot of a form that has more fields than lines", (t) => {
	const state = { ...pressed(placed(aState({ width: 40, height: 10 }), "offerings"), "a") };
	if (state.modal?.kind !== "form") return t.fail();
	const last = state.modal.fields.length - 1;
	const { label = "" } = state.modal.fields[last] ?? {};
	const at = { ...state, modal: { ...state.modal, index: last, error: REFUSED } };
	const shown = frameText(view(at));
	t.true(shown.includes(` > ${label}`), shown);
	t.regex(shown, /✗ there is an offering/);
});

test("refused › a name that is long or strange is confirmed by a part that can be typed", (t) => {
	const known = aState();
	const name = `\u001b[31m 日本 db-${"x".repeat(200)}`;
	const vms = known.data.vms?.slice(0, 1).map((vm) => ({ ...vm, name })) ?? [];
	const state = placed({ ...known, data: { ...known.data, vms } }, "vms");
	const [consent, [effect]] = update(state, { type: "key", key: { name: "S-k", text: "K" } });
	const acts = effect?.type === "plan" ? effect.acts : [];
	const [planned] = update(consent, { type: "planned", acts, plans: [null] });
	const word = /type (\S+) and press enter/.exec(frameText(view(planned)))?.[1] ?? "";
	t.regex(word, /^[\w.-]{2,32}$/);
	t.deepEqual(update(planned, ENTER)[1], []);
	t.deepEqual(update(pressed(planned, ...word), ENTER)[1], [{ type: "act", acts }]);
});

test("refused › the end of a long text is seen while one writes it", (t) => {
	const form = pressed(placed(aState(), "offerings"), "a", ..."y".repeat(90), ..."END");
	t.regex(frameText(view(form)), /…y+END▏/);
});
