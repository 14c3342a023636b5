// Each screen as plain text beside its golden file; `UPDATE_GOLDEN=1 ava test/tui/views.test.ts` writes them anew.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { backupBrief } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import type { State } from "../../apps/tui/src/app/state.ts";
import { widthOf } from "../../apps/tui/src/view/cells.ts";
import { frameText } from "../../apps/tui/src/view/frame.ts";
import { painted } from "../../apps/tui/src/view/theme.ts";
import { view } from "../../apps/tui/src/view/view.ts";
import { backupId, CHAIN, VM_UUID } from "../support/builders/facts.ts";
import { aBackupView, aFilesView, aState, placed, pressed } from "./support/states.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tui");
const JOB = "0196f000-0000-7000-8000-0000000b0001";
const FILES = [backupId(1), "vda", "1", "/etc"].join("\n");
const SCENES: Readonly<Record<string, (state: State) => State>> = {
	dashboard: (state) => state,
	vms: (state) => placed(state, "vms"),
	vm: (state) => placed(state, "vm", VM_UUID),
	chains: (state) => placed(state, "chains"),
	backups: (state) => placed(state, "backups"),
	backup: (state) => placed(state, "backup", backupId(1)),
	jobs: (state) => placed(state, "jobs"),
	job: (state) => placed(state, "job", JOB),
	chain: (state) => placed(state, "chain", CHAIN),
	screen: (state) => placed(state, "screen", backupId(1)),
	files: (state) => ({
		...placed(state, "files", FILES),
		files: { [FILES]: aFilesView() },
	}),
	offerings: (state) => placed(state, "offerings"),
	repositories: (state) => placed(state, "repositories"),
	settings: (state) => placed(state, "settings"),
	hosts: (state) => placed(state, "hosts"),
	peers: (state) => placed(state, "peers"),
	events: (state) => placed(state, "events"),
	schedules: (state) => placed(state, "schedules"),
	selectors: (state) => placed(state, "selectors"),
	retention: (state) => placed(state, "retention"),
	invited: (state) => ({
		...placed(state, "peers"),
		modal: {
			kind: "told",
			told: {
				title: "a code",
				lines: ["CODE".repeat(60), "", "this host is here"],
				copies: "CODE",
			},
		},
	}),
	doctor: (state) => placed(state, "doctor"),
	"extract-form": (state) =>
		pressed({ ...placed(state, "files", FILES), files: { [FILES]: aFilesView() } }, "space", "x"),
	"refused-form": (state) => {
		const form = pressed(placed(state, "offerings"), "a", ..."gold");
		if (form.modal?.kind !== "form") return form;
		const error = `there is an offering gold already; next: ${"choose another name ".repeat(8)}`;
		return { ...form, modal: { ...form.modal, error } };
	},
	"libvirt-down": (state) => {
		const asOf = new Date(state.now - 125_000).toISOString();
		const vms = (state.data.vms ?? []).map((vm) => ({ ...vm, asOf }));
		const reason = "libvirt does not answer within 10 s on qemu:///system";
		const vmWarnings = [`the VMs of here are shown as they were last seen: ${reason}`];
		return placed({ ...state, data: { ...state.data, vms, vmWarnings } }, "vms");
	},
	"selector-form": (state) => pressed(placed(state, "selectors"), "a"),
	help: (state) => pressed(state, "?"),
	palette: (state) => pressed(state, ":", "s", "h", "o", "w"),
	"offering-form": (state) => pressed(placed(state, "offerings"), "a"),
	"backup-form": (state) => pressed(placed(state, "vms"), "b"),
	"restore-disk-form": (state) => pressed(placed({ ...state, blocked: {} }, "backups"), "S-a"),
	"restore-form": (state) => pressed(placed({ ...state, blocked: {} }, "backups"), "S-r"),
	delete: (state) => pressed(placed(state, "backups"), "d"),
	lost: (state) => ({
		...state,
		now: state.now + 65_000,
		link: { state: "lost", message: "gone", since: state.now },
	}),
};

/** Screens that count most where there is least room. */
const SMALL = ["dashboard", "vms", "backups", "chains", "jobs", "job", "refused-form", "delete"];

const asGolden = async (t: ExecutionContext, name: string, state: State): Promise<void> => {
	const { width, height } = state.size;
	const frame = view(state);
	t.is(frame.lines.length, height);
	for (const line of frame.lines)
		t.is(
			line.reduce((sum, one) => sum + widthOf(one.text), 0),
			width,
		);
	const file = join(GOLDEN, `${name}-${width}x${height}.txt`);
	const text = `${frameText(frame)}\n`;
	if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(file, text);
	t.is(text, await readFile(file, "utf8"));
};

for (const [name, scene] of Object.entries(SCENES)) {
	for (const [width, height] of [
		[80, 24],
		[120, 40],
		[200, 60],
	] as const) {
		test(`view › draws ${name} at ${width}x${height} as its golden file says`, async (t) => {
			await asGolden(t, name, scene(aState({ width, height })));
		});
	}
	if (SMALL.includes(name))
		test(`view › draws ${name} at 40x10 as its golden file says`, (t) =>
			asGolden(t, name, scene(aState({ width: 40, height: 10 }))));
	test(`view › draws ${name} on terminals that are far too small`, (t) => {
		for (const [width, height] of [
			[40, 10],
			[20, 5],
			[5, 2],
			[1, 1],
		] as const) {
			t.is(view(scene(aState({ width, height }))).lines.length, height);
		}
	});
}

for (const name of ["dashboard", "chains", "backup", "lost"]) {
	test(`view › paints ${name} in colours as its golden file says`, async (t) => {
		const scene = SCENES[name] ?? ((state: State) => state);
		const { lines } = view(scene(aState()));
		const theme = { name: "dark", depth: "256", ascii: false } as const;
		// Escapes are written as a sign, so that the file can be read.
		const text = `${lines.map((line) => painted(line, theme).replaceAll("\u001b", "␛")).join("\n")}\n`;
		const file = join(GOLDEN, `${name}-colours.txt`);
		if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(file, text);
		t.is(text, await readFile(file, "utf8"));
	});
}

test("view › draws ten thousand backups well under the time of a first paint", (t) => {
	const state = aState();
	const backups = Array.from({ length: 10_000 }, (_, n) => backupBrief(aBackupView(n + 1)));
	const many = placed({ ...state, data: { ...state.data, backups } }, "backups");
	// Of several, since the first compiles; of this process, since a test machine is busy with others.
	const costs = [1, 2, 3, 4].map(() => {
		const before = process.cpuUsage();
		view(many);
		const { user, system } = process.cpuUsage(before);
		return (user + system) / 1000;
	});
	t.true(Math.min(...costs) < 300);
});
