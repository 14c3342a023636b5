// VMs of a host whose libvirt does not answer: as they were last seen, with the time of that and the reason.

import type { KnibClient } from "@knib/host-daemon/client";
import test from "ava";
import type { Msg } from "../../../apps/tui/src/app/msg.ts";
import { readLists } from "../../../apps/tui/src/app/read.ts";
import { update } from "../../../apps/tui/src/app/update.ts";
import { plainLines } from "../../../apps/tui/src/plain.ts";
import { frameText } from "../../../apps/tui/src/view/frame.ts";
import { view } from "../../../apps/tui/src/view/view.ts";
import { aState, aVmView, placed } from "../../tui/support/states.ts";

const WARNING = "the VMs of here are shown as they were last seen: libvirt does not answer";
const old = () => {
	const state = aState();
	const asOf = new Date(state.now - 125_000).toISOString();
	const data = { vms: [aVmView({ asOf })], vmWarnings: [WARNING] };
	return update(state, { type: "data", data })[0];
};

test("old VMs › are shown with the reason and their age", (t) => {
	const [home, list, one] = [old(), placed(old(), "vms"), placed(old(), "vm", aVmView().uuid)].map(
		(state) => frameText(view(state)),
	);
	t.regex(home ?? "", /! the VMs of here are shown as they were last seen/);
	t.regex(home ?? "", /as of 2:05 ago/);
	t.regex(list ?? "", /warning +the VMs of here[\s\S]*as of 2:05 ago/);
	t.regex(one ?? "", /old +as of 2:05 ago/);
	t.true(plainLines(old()).some((line) => line.includes(WARNING)));
});

test("old VMs › are told of as long as libvirt does not answer", (t) => {
	const [state] = update(old(), { type: "data", data: { vms: [aVmView()], vmWarnings: [] } });
	t.notRegex(frameText(view(state)), /last seen|as of/);
});

test("old VMs › come from the inventory with its warnings", async (t) => {
	const told: Msg[] = [];
	const inventory = { query: async () => ({ vms: [aVmView()], warnings: [WARNING] }) };
	// A client of which only one question is asked.
	const api = { vm: { inventory } } as unknown as KnibClient["api"];
	await readLists(api, ["vms"], (msg) => told.push(msg));
	t.deepEqual(told, [{ type: "data", data: { vms: [aVmView()], vmWarnings: [WARNING] } }]);
});
