// What needs a human first.
import test from "ava";
import { initialState, placeIn, type State } from "../../../apps/tui/src/app/state.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { aState, aVmView, pressed } from "../../tui/support/states.ts";

test("dashboard › of a host without a repository says that it needs one, and leads there", (t) => {
	const known = aState();
	const state = { ...known, data: { ...known.data, repositories: [] } };
	t.regex(frameText(view(state)), /! repository +there is none +backups need one/);
	t.is(placeIn(pressed(state, "enter")).route.screen, "repositories");
});

const AT = "2026-01-02T03:04:05.000Z";
const withVms = (count: number, level: "copied" | "booted"): State => {
	const known = aState();
	const vms = Array.from({ length: count }, (_, n) =>
		aVmView({ uuid: `vm-${n}`, name: `vm-${n}`, lastProof: { level, at: AT, backup: "" } }),
	);
	return { ...known, data: { ...known.data, vms, jobs: [], repositories: null } };
};

test("dashboard › tells of VMs whose backups were never proven, of many in one row", (t) => {
	t.regex(frameText(view(withVms(2, "copied"))), /! unproven +vm-0 [\s\S]*! unproven +vm-1 /);
	const many = withVms(12, "copied");
	t.regex(frameText(view(many)), /! unproven +12 VMs +vm-0, vm-1, /);
	t.is(placeIn(pressed(many, "enter")).route.screen, "vms");
});

test("dashboard › of VMs that were proven has nothing to ask", (t) => {
	t.regex(frameText(view(withVms(2, "booted"))), /NEEDS YOU\n +✓ nothing/);
});

test("dashboard › where no daemon has ever answered says so, and what to do", (t) => {
	const state = initialState({
		size: { width: 80, height: 24 },
		now: 0,
		readOnly: false,
		draws: "nothing",
	});
	const [lost] = update(state, {
		type: "link",
		state: "lost",
		message: "no knibd answers on /run/x (ENOENT)",
		hint: "start it with `knib daemon run`",
	});
	const text = frameText(view(lost));
	t.regex(text, /✗ no knibd answers on \/run\/x \(ENOENT\)\n.*start it with `knib daemon run`/);
	t.notRegex(text, /reading|data is old/);
});
