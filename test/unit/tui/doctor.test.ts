import test from "ava";
import { runDoctorEffect } from "../../../apps/tui/src/app/effects.ts";
import type { Msg } from "../../../apps/tui/src/app/msg.ts";
import { placeIn, type State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { aState, pressed } from "../../tui/support/states.ts";

const ENTER = { type: "key", key: { name: "enter", text: null } } as const;
const CHECKS = [
	{ name: "node", state: "ok", message: "24.12.0", fix: null },
	{ name: "libvirt", state: "failure", message: `no ${"word ".repeat(30)}`, fix: "start libvirtd" },
	{ name: "daemon", state: "warning", message: "none answers", fix: "knib daemon run" },
] as const;

const opened = (): readonly [State, readonly unknown[]] =>
	update(pressed(aState(), ":", ..."doctor"), ENTER);

test("doctor › is looked at by its name, and the host is looked over then", (t) => {
	const [state, effects] = opened();
	t.is(placeIn(state).route.screen, "doctor");
	t.deepEqual(effects, [{ type: "doctor" }]);
});

test("doctor › looks the host over again when asked, and not because jobs end", (t) => {
	const [state] = opened();
	const [, again] = update(state, { type: "key", key: { name: "r", text: "r" } });
	t.true(again.some(({ type }) => type === "doctor"));
	const [, done] = update(state, { type: "done", text: "done", job: null });
	t.false(done.some(({ type }) => type === "doctor"));
});

test("doctor › shows what is worst first, and below it what mends it, which y copies", async (t) => {
	const told: Msg[] = [];
	await runDoctorEffect(
		async () => CHECKS,
		(msg) => told.push(msg),
	);
	const [msg] = told;
	if (msg === undefined) return t.fail();
	const [state] = update(opened()[0], msg);
	const shown = frameText(view(state));
	t.regex(shown, /✗ failure[\s\S]*mend: start libvirtd[\s\S]*! warning[\s\S]*✓ ok/);
	const [, effects] = update(state, { type: "key", key: { name: "y", text: "y" } });
	t.deepEqual(effects, [{ type: "copy", text: "start libvirtd" }]);
});

test("doctor › says why the host could not be looked over", async (t) => {
	const told: Msg[] = [];
	await runDoctorEffect(
		() => Promise.reject(new Error("no room")),
		(msg) => told.push(msg),
	);
	const [msg] = told;
	if (msg === undefined) return t.fail();
	t.regex(frameText(view(update(opened()[0], msg)[0])), /cannot be read now: no room/);
});
