// From a key on a target to acts or a form. Pure.
import { short } from "@knib/core/text";
import { shownIn } from "../screens/rows.ts";
import { type Act, backupJobAct, changeAct, deleteAct, jobAct, markAct, quoted } from "./acts.ts";
import { type Step, toast } from "./navigate.ts";
import {
	type FormField,
	type FormPurpose,
	type Modal,
	placeIn,
	type State,
	type Target,
} from "./state.ts";

const vmName = (state: State, id: string): string =>
	state.data.vms?.find((one) => one.uuid === id)?.name ?? id;

const vmAct = (state: State, action: string, id: string): Act | null => {
	if (action !== "finish") return null;
	const name = vmName(state, id);
	return jobAct(
		`finish the chain of ${name}`,
		`knib chain finish ${quoted(name)}`,
		{ type: "FinishChain", vm: id },
		["the next backup is full"],
	);
};

const backupAct = (state: State, action: string, id: string): Act | null => {
	const backup = state.data.backups?.find((one) => one.id === id);
	if (backup === undefined) return null;
	if (action === "delete") return deleteAct(backup);
	if (action === "validate" || action === "compress") return backupJobAct(action, backup);
	if (action === "pin" || action === "unpin" || action === "undelete")
		return markAct(action, backup);
	return null;
};

const jobChange = (state: State, action: string, id: string): Act | null => {
	if (action !== "cancel" && action !== "retry") return null;
	const job = state.data.jobs?.find((one) => one.id === id);
	const what = `${job?.type ?? "job"} ${short(id)}${job?.vm ? ` of ${job.vm.name}` : ""}`;
	const cancel = action === "cancel";
	const consequences = cancel ? ["what it did so far is undone; finished backups stay"] : [];
	return changeAct(
		`${action} ${what}`,
		`knib job ${action} ${short(id)}`,
		{ call: action, job: id },
		consequences,
		cancel ? short(id) : null,
	);
};

const otherAct = (state: State, action: string, target: Target): Act | null => {
	if (action === "rescan") {
		const name = state.data.repositories?.find((one) => one.id === target.id)?.name ?? target.id;
		return changeAct(`rescan repository ${name}`, `knib repository rescan ${quoted(name)}`, {
			call: "rescan",
			repository: target.id,
		});
	}
	if (action !== "unset") return null;
	return changeAct(`unset ${target.id}`, `knib settings unset ${target.id}`, {
		call: "unset",
		name: target.id,
	});
};

const actOf = (state: State, action: string, target: Target): Act | null => {
	if (target.kind === "vm") return vmAct(state, action, target.id);
	if (target.kind === "backup") return backupAct(state, action, target.id);
	if (target.kind === "job") return jobChange(state, action, target.id);
	return otherAct(state, action, target);
};

const input = (name: string, label: string, value = ""): FormField => ({
	name,
	label,
	kind: "text",
	value,
});
const flag = (name: string, label: string): FormField => ({ name, label, kind: "flag", value: "" });

const formOf = (
	state: State,
	action: string,
	target: Target,
): Extract<Modal, { kind: "form" }> | null => {
	const form = (purpose: FormPurpose, title: string, fields: readonly FormField[]) =>
		({ kind: "form", purpose, target, title, fields, index: 0, error: null }) as const;
	if (action === "backup") {
		return form("backup", `back up ${vmName(state, target.id)}`, [
			flag("isolated", "isolated"),
			flag("quiesce", "quiesce"),
			input("disks", "only disks"),
			input("excludeDisks", "without disks"),
			input("labels", "labels"),
		]);
	}
	if (action === "restore") {
		const vm = state.data.backups?.find((one) => one.id === target.id)?.vm.name ?? "vm";
		return form("restore", `restore backup ${short(target.id)} of ${vm} as a new VM`, [
			input("name", "name", `${vm}-restored`),
			input("storage", "storage dir"),
			input("networks", "networks A=B"),
			flag("keepMac", "keep MACs"),
			flag("start", "start it"),
		]);
	}
	if (action === "set") {
		const value = state.data.settings?.find((one) => one.name === target.id)?.value ?? "";
		return form("setting", `set ${target.id}`, [input("value", "value", String(value))]);
	}
	if (action !== "assign") return null;
	const offering = state.data.vms?.find((one) => one.uuid === target.id)?.offering ?? "";
	return form("assign", `offering of ${vmName(state, target.id)}`, [
		input("offering", "offering", offering),
	]);
};

/** The acts shown for consent, while the daemon plans them. */
export const askFor = (state: State, acts: readonly Act[]): Step => [
	{ ...state, modal: { kind: "confirm", acts, plans: null, typed: "", offset: 0 } },
	[{ type: "plan", acts }],
];

const markedTargets = (state: State, target: Target): readonly Target[] => {
	const { marks } = placeIn(state);
	const { rows } = shownIn(state);
	const marked = rows.flatMap((row) =>
		marks.includes(row.id) && row.target?.kind === target.kind ? [row.target] : [],
	);
	return marked.length === 0 ? [target] : marked;
};

/** Starts what a key asks of a target: a form where there are options, else consent. */
export const ask = (state: State, action: string, target: Target): Step => {
	const form = formOf(state, action, target);
	if (form !== null) return [{ ...state, modal: form }, []];
	const acts = markedTargets(state, target).flatMap((one) => actOf(state, action, one) ?? []);
	return acts.length === 0
		? [toast(state, "it is not there any more", "warn"), []]
		: askFor(state, acts);
};
