// What needs a human first, what runs, and when each VM was last proven.
import type { JobView, VmView } from "@knib/core";
import { size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { span, type Tone } from "../view/frame.ts";
import { minute, nearlyFull, signOf } from "../view/signs.ts";
import { jobRow } from "./job-rows.ts";
import {
	type Column,
	emptyWords,
	heading,
	knowsNothing,
	noDaemon,
	noTarget,
	type Row,
	type Screen,
	sentence,
} from "./screen.ts";
import { greyed, vmAge } from "./stale.ts";

/** What is said of a thing has room beside its name on small terminals too. */
const columnsAt = (width: number): readonly Column[] => [
	{ head: "", width: width < 60 ? 14 : 16 },
	{ head: "", width: width < 60 ? 9 : 26 },
	{ head: "", width: 0 },
];
const ENOUGH = 50;

const row = (
	id: string,
	tone: Tone,
	cells: readonly [string, string, string],
	to: Pick<Row, "target" | "open">,
): Row => ({
	id,
	cells: [
		span(`  ${signOf(tone)} ${cells[0]}`, tone),
		span(cells[1], "bold"),
		span(cells[2], tone),
	],
	...to,
});

const vmTo = (vm: VmView): Pick<Row, "target" | "open"> => ({
	target: { kind: "vm", id: vm.uuid },
	open: { screen: "vm", id: vm.uuid },
});

const daemonNeeds = (state: State): readonly Row[] =>
	state.link.state === "lost" && knowsNothing(state) ? noDaemon(state) : [];
const hostNeeds = (state: State): readonly Row[] =>
	(state.data.hosts ?? [])
		.filter((host) => host.state !== "online")
		.map((host) =>
			row(
				`need host ${host.id}`,
				"bad",
				["host", host.name, `${host.state}: ${host.problems.join("; ")}`],
				{
					target: { kind: "host", id: host.id },
					open: { screen: "hosts", id: null },
				},
			),
		);
/** Without a repository there are no backups; with none known yet nothing is said. */
const firstRepository = (state: State): readonly Row[] =>
	state.data.repositories?.length === 0
		? [
				row(
					"need a repository",
					"warn",
					["repository", "there is none", "backups need one: 7, then a, adds a directory"],
					{ target: null, open: { screen: "repositories", id: null } },
				),
			]
		: [];
const repositoryNeeds = (state: State): readonly Row[] =>
	(state.data.repositories ?? [])
		.filter((one) => one.state !== "ready" || nearlyFull(one))
		.map((one) => {
			const full = `nearly full: ${size(one.free)} of ${size(one.capacity)} free`;
			const why = one.state === "ready" ? full : `${one.state}: ${one.message ?? ""}`;
			return row(
				`need repository ${one.id}`,
				one.state === "ready" ? "warn" : "bad",
				["repository", one.name, why],
				{
					target: { kind: "repository", id: one.id },
					open: { screen: "repositories", id: null },
				},
			);
		});
/** A failure stands until a later job of the same kind on the same VM succeeds. */
const stands = (job: JobView, jobs: readonly JobView[]): boolean =>
	job.state === "failed" &&
	!jobs.some(
		(later) =>
			later.type === job.type &&
			later.vm?.uuid === job.vm?.uuid &&
			later.createdAt > job.createdAt &&
			later.state !== "cancelled",
	);
const jobNeeds = (state: State): readonly Row[] => {
	const jobs = (state.data.jobs ?? []).filter(
		(job) => job.endedAt !== null || job.state === "failed",
	);
	return jobs
		.filter((job) => stands(job, jobs))
		.map((job) =>
			row(
				`need job ${job.id}`,
				"bad",
				["failed job", `${job.type} ${job.vm?.name ?? ""}`, job.error?.message ?? job.reason ?? ""],
				{
					target: { kind: "job", id: job.id },
					open: { screen: "job", id: job.id },
				},
			),
		);
};
const vmNeeds = (state: State): readonly Row[] =>
	(state.data.vms ?? [])
		.filter((vm) => vm.atRisk.length > 0)
		.map((vm) =>
			row(`need vm ${vm.uuid}`, "warn", ["VM at risk", vm.name, vm.atRisk.join("; ")], vmTo(vm)),
		);

/** More VMs than these are told of in one row. */
const FEW = 3;
const UNPROVEN = "no backup was proven: v proves one, in its list";

/** VMs that have backups of which none was ever proven. */
const unprovenNeeds = (state: State): readonly Row[] => {
	const unproven = (state.data.vms ?? []).filter(({ lastProof }) => lastProof?.level === "copied");
	if (unproven.length <= FEW)
		return unproven.map((vm) =>
			row(`need proof ${vm.uuid}`, "warn", ["unproven", vm.name, UNPROVEN], vmTo(vm)),
		);
	const names = unproven.map(({ name }) => name).join(", ");
	const to = { target: null, open: { screen: "vms", id: null } } as const;
	return [row("need proof", "warn", ["unproven", `${unproven.length} VMs`, names], to)];
};

const listProblems = (state: State): readonly Row[] =>
	Object.entries(state.problems).map(([list, message]) =>
		sentence(`problem ${list}`, `${list} cannot be read: ${message}`, "bad"),
	);

const vmWarnings = (state: State): readonly Row[] =>
	(state.data.vmWarnings ?? []).map((text) => sentence(`warning ${text}`, text, "warn"));

const orNone = (rows: readonly Row[], id: string, words: string, tone: Tone): readonly Row[] => {
	if (rows.length === 0) return [sentence(id, words, tone)];
	const more = rows.length - ENOUGH;
	return more > 0
		? [...rows.slice(0, ENOUGH), sentence(`${id} more`, `and ${more} more`, "dim")]
		: rows;
};

const proofRow = (state: State, vm: VmView): Row => {
	const { lastProof } = vm;
	const words = lastProof === null ? "never proven" : `${lastProof.level} ${minute(lastProof.at)}`;
	const last = vm.lastBackup === null ? "never backed up" : `backed up ${minute(vm.lastBackup.at)}`;
	const tone: Tone = lastProof === null ? "warn" : "good";
	const age = vmAge(state, vm);
	return {
		id: `proof ${vm.uuid}`,
		cells: greyed(
			[
				span(`  ${signOf(tone)} ${vm.state}`),
				span(vm.name, "bold"),
				span([...(age === null ? [] : [age]), words, last].join(", "), tone),
			],
			age !== null,
		),
		...vmTo(vm),
	};
};

export const dashboard: Screen = {
	title: () => "Dashboard",
	target: noTarget,
	body: (state, _, width) => {
		const needs = [
			...daemonNeeds(state),
			...listProblems(state),
			...vmWarnings(state),
			...hostNeeds(state),
			...firstRepository(state),
			...repositoryNeeds(state),
			...jobNeeds(state),
			...vmNeeds(state),
			...unprovenNeeds(state),
		];
		const known = state.data.vms !== null && state.data.jobs !== null;
		const runs = (state.data.jobs ?? []).filter(
			({ state: at }) => at === "executing" || at === "waiting",
		);
		return {
			head: [],
			columns: columnsAt(width),
			sortable: false,
			empty: "",
			rows: [
				heading("NEEDS YOU"),
				...orNone(needs, "calm", known ? "nothing" : "reading…", known ? "good" : "dim"),
				heading("RUNS"),
				...orNone(
					runs.map((job) => jobRow(job, "run ")),
					"idle",
					emptyWords(state, "jobs", "nothing runs or waits"),
					"dim",
				),
				heading("LAST PROOF"),
				...orNone(
					(state.data.vms ?? []).map((vm) => proofRow(state, vm)),
					"no VMs",
					emptyWords(state, "vms", "no VMs"),
					"dim",
				),
			],
		};
	},
};
