// From a key on a target to acts or a form. Pure.
import { short } from "@knib/core/text";
import { vmName } from "../forms/form.ts";
import { FORMS, makesNew, purposeOf, takesMany } from "../forms/index.ts";
import { shownIn } from "../screens/rows.ts";
import {
	type Act,
	backupJobAct,
	changeAct,
	consolidateAct,
	deleteAct,
	jobAct,
	markAct,
	quoted,
} from "./acts.ts";
import { joinFiles } from "./files-place.ts";
import { type Step, toast } from "./navigate.ts";
import { type FormModal, placeIn, type State, type Target } from "./state.ts";

/** How many of the marked a form names. */
const NAMED = 4;

const KEPT = {
	"restore-undo": {
		mode: "undo",
		title: "go back to the disks before the restore of",
		means: "what was written since the restore is set aside in turn",
	},
	"restore-confirm": {
		mode: "confirm",
		title: "delete the disks set aside for",
		means: "there is no way back to them",
	},
} as const;

const keptAct = (action: keyof typeof KEPT, id: string, name: string): Act => {
	const { mode, title, means } = KEPT[action];
	const request = { type: "Restore", mode, vm: id } as const;
	const more = { consequences: [means], word: name };
	return jobAct(`${title} ${name}`, `knib restore ${mode} ${quoted(name)}`, request, more);
};

const vmAct = (state: State, action: string, id: string): Act | null => {
	const name = vmName(state, id);
	if (action === "finish") {
		const request = { type: "FinishChain", vm: id } as const;
		const consequences = ["the next backup is full"];
		const cli = `knib chain finish ${quoted(name)}`;
		return jobAct(`finish the chain of ${name}`, cli, request, { consequences });
	}
	if (action === "restore-undo" || action === "restore-confirm") return keptAct(action, id, name);
	if (action !== "unassign") return null;
	const offering = state.data.vms?.find((one) => one.uuid === id)?.offering ?? "";
	return changeAct(
		`take ${name} out of offering ${offering}`,
		`knib vm unassign ${quoted(name)}`,
		{ call: "unassign", vm: id },
		{
			consequences: ["its chain is finished; its backups stay; the default offering counts then"],
			undo: `knib vm assign ${quoted(name)} ${quoted(offering)}`,
		},
	);
};

const backupAct = (state: State, action: string, id: string): Act | null => {
	const backup = state.data.backups?.find((one) => one.id === id) ?? state.details[id];
	if (backup === undefined) return null;
	if (action === "delete") return deleteAct(backup);
	if (action === "consolidate") return consolidateAct(backup);
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
	return changeAct(
		`${action} ${what}`,
		`knib job ${action} ${short(id)}`,
		{ call: action, job: id },
		{
			consequences: cancel ? ["what it did so far is undone; finished backups stay"] : [],
			word: cancel ? short(id) : null,
			undo: cancel ? `knib job retry ${short(id)}` : null,
		},
	);
};

const repositoryAct = (state: State, action: string, id: string): Act | null => {
	const found = state.data.repositories?.find((one) => one.id === id);
	if (found === undefined) return null;
	const { name, path } = found;
	if (action === "rescan") {
		return changeAct(`rescan repository ${name}`, `knib repository rescan ${quoted(name)}`, {
			...{ call: "rescan", repository: id },
		});
	}
	if (action !== "remove") return null;
	return changeAct(
		`remove repository ${name}`,
		`knib repository remove ${quoted(name)}`,
		{ call: "remove-repository", repository: id },
		{
			consequences: ["knib forgets it here; not a byte in it is deleted"],
			word: name,
			undo: `knib repository add ${quoted(name)} --path ${quoted(path)}`,
		},
	);
};

const offeringAct = (state: State, action: string, id: string): Act | null => {
	const name = state.data.offerings?.find((one) => one.id === id)?.name;
	if (name === undefined || action !== "delete") return null;
	return changeAct(
		`delete offering ${name}`,
		`knib offering delete ${quoted(name)}`,
		{ call: "delete-offering", offering: id },
		{ consequences: ["backups taken under it keep it; no VM may be assigned to it"], word: name },
	);
};

const chainAct = (state: State, action: string, id: string): Act | null => {
	const found = state.data.chains?.find((one) => one.id === id);
	if (found !== undefined && action === "verify") {
		return jobAct(
			`verify chain ${short(id)} of ${found.vm.name}`,
			`knib chain verify ${short(id)}`,
			{ type: "VerifyRepository", chain: id },
			{ consequences: ["nothing is changed; a backup that is not what it was becomes NotValid"] },
		);
	}
	return found === undefined || action !== "finish-chain"
		? null
		: vmAct(state, "finish", found.vm.uuid);
};

/** It is about this host, whichever peer is selected. */
const rotateKey = (state: State): Act => {
	const name = state.data.hosts?.find(({ self }) => self)?.name ?? "this host";
	return changeAct(
		`give ${name} a new key`,
		"knib peer rotate-key",
		{ call: "rotate-key" },
		{
			consequences: ["its id and its peers stay; links are made anew, and jobs go on"],
			word: name,
		},
	);
};

const peerAct = (state: State, action: string, id: string): Act | null => {
	if (action === "rotate-key") return rotateKey(state);
	const name = state.data.peers?.find((one) => one.id === id)?.name;
	if (name === undefined || action !== "remove") return null;
	return changeAct(
		`remove peer ${name}`,
		`knib peer remove ${quoted(name)}`,
		{ call: "remove-peer", peer: id },
		{
			consequences: ["it stays removed, whoever introduces it; what it was known to have stays"],
			word: name,
		},
	);
};

const scheduleAct = (state: State, action: string, id: string): Act | null => {
	const name = state.data.schedules?.find((one) => one.id === id)?.name;
	if (name === undefined || action !== "delete") return null;
	return changeAct(
		`delete schedule ${name}`,
		`knib schedule delete ${quoted(name)}`,
		{ call: "delete-schedule", schedule: id },
		{ consequences: ["its backups stay; nothing is backed up by it any more"], word: name },
	);
};

const selectorAct = (state: State, action: string, id: string): Act | null => {
	const name = state.data.selectors?.find((one) => one.id === id)?.name;
	if (name === undefined || action !== "delete") return null;
	return changeAct(
		`delete selector ${name}`,
		`knib selector delete ${quoted(name)}`,
		{ call: "delete-selector", selector: id },
		{ consequences: ["chains that are open stay where they are"], word: name },
	);
};

const ACTS: Readonly<Record<Target["kind"], typeof vmAct>> = {
	vm: vmAct,
	backup: backupAct,
	chain: chainAct,
	job: jobChange,
	offering: offeringAct,
	repository: repositoryAct,
	setting: () => null,
	host: () => null,
	peer: peerAct,
	schedule: scheduleAct,
	selector: selectorAct,
	file: () => null,
	check: () => null,
};

const formOf = (
	state: State,
	action: string,
	target: Target,
	others: readonly Target[],
): FormModal | null => {
	const purpose = purposeOf(target.kind, action);
	const opened = purpose === undefined ? null : FORMS[purpose].open(state, target);
	if (purpose === undefined || opened === null) return null;
	const form = { kind: "form", purpose, target, ...opened, index: 0, error: null } as const;
	if (others.length === 0 || !takesMany(purpose)) return { ...form, others: [] };
	const titles = others.flatMap((one) => FORMS[purpose].open(state, one)?.title ?? []);
	const more = titles.length > NAMED ? [`and ${titles.length - NAMED} more`] : [];
	const notes = [...titles.slice(0, NAMED), ...more];
	return { ...form, others, title: `${opened.title}, and ${others.length} more`, notes };
};

/** Why a form cannot be filled in for all that is marked; null where it can, or where it is about none of them. */
const oneOnly = (action: string, targets: readonly Target[]): string | null => {
	const [target] = targets;
	const purpose = target === undefined ? undefined : purposeOf(target.kind, action);
	if (targets.length < 2 || purpose === undefined || takesMany(purpose) || makesNew(purpose))
		return null;
	return `it takes one at a time, and ${targets.length} are marked: esc takes the marks away`;
};

/** The acts shown for consent, while the daemon plans them. */
export const askFor = (state: State, acts: readonly Act[], form: FormModal | null = null): Step => [
	{ ...state, modal: { kind: "confirm", acts, form, plans: null, typed: "", offset: 0 } },
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

/** Files are brought out together, by one job. */
const together = (targets: readonly Target[], { kind }: Target): readonly Target[] =>
	kind === "file" ? [{ kind, id: joinFiles(targets.map(({ id }) => id)) }] : targets;

/** Starts what a key asks of a target: a form where there are options, else consent. */
export const ask = (state: State, action: string, target: Target): Step => {
	const marked =
		action === "rotate-key" ? [target] : together(markedTargets(state, target), target);
	const refused = oneOnly(action, marked);
	if (refused !== null) return [toast(state, refused, "warn"), []];
	const [first = target, ...others] = marked;
	const form = formOf(state, action, first, others);
	if (form !== null) return [{ ...state, modal: form }, []];
	const acts = marked.flatMap((one) => ACTS[one.kind](state, action, one.id) ?? []);
	return acts.length === 0
		? [toast(state, "it is not there any more", "warn"), []]
		: askFor(state, acts);
};
