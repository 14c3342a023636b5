// Re-reads chains of a repository and says what is not as it was published: on the backup, as an alert, in the chain's end where the setting
// asks for it. A difference fails the job with VERIFY_FAILED once all of it is recorded.
import {
	asKnibError,
	type Chain,
	chainEndReason,
	KnibError,
	mergeProofs,
	type Outcomes,
	type Proof,
	type PublishedBackup,
	type Repository,
	readLayers,
	type VerifyChain,
	type VerifyPlan,
} from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import { refreshChain, standingOn } from "./validation-record.ts";
import { type BackupFindings, chainNow, verifyBackup } from "./verify-backup.ts";

type Verified = NonNullable<Outcomes["verified"]>;

const NOTHING: Verified = { backups: 0, files: 0, bytes: 0, damaged: [], problems: [] };

const idOf = ({ manifest }: PublishedBackup): string => manifest.identity.id;

const planOf = ({ plan }: StepContext): VerifyPlan => {
	if (plan.type === "VerifyRepository") return plan;
	throw new KnibError("INTERNAL", "a verification's step in the plan of another job");
};

/** What the command prints. */
export const verifyResult = (plan: VerifyPlan, outcomes: Outcomes): Record<string, unknown> => ({
	repository: plan.repository.name,
	chain: plan.chain,
	...(outcomes.verified ?? NOTHING),
});

type Found = ReadonlyMap<string, BackupFindings>;

/** What the manifests and links of a chain say without any file being read. */
const problemsOf = (chain: Chain): readonly string[] => [
	...new Set([
		...chain.problems,
		...chain.members.flatMap((member) => readLayers(chain.members, member).problems),
	]),
];

const proveSound = async (
	context: StepContext,
	repository: Repository,
	chain: Chain,
	found: Found,
): Promise<void> => {
	const { clock, host } = context.deps;
	const sound = new Set<string>();
	for (const member of chain.members) {
		const own = found.get(idOf(member));
		const parent = member.manifest.parent?.id;
		const stands = parent === undefined || sound.has(parent);
		const wasChecked = member.marks.proofs.some((proof) => proof.level === "checked");
		const isGood = own === undefined ? wasChecked : own.damaged.length + own.problems.length === 0;
		if (!isGood || !stands) continue;
		sound.add(idOf(member));
		if (own === undefined) continue;
		const { durationMs } = own;
		const proof: Proof = { level: "checked", at: clock.now(), host: host.id, durationMs };
		await repository.writeMarks(member, {
			proofs: [...mergeProofs(member.marks.proofs, [proof])],
		});
	}
};

const markDamaged = async (
	context: StepContext,
	repository: Repository,
	chain: Chain,
	verdict: Pick<Verified, "damaged">,
): Promise<void> => {
	const words = verdict.damaged.map(({ path, message }) => `${path}: ${message}`).join("; ");
	const ids = new Set(verdict.damaged.map((one) => one.backup));
	for (const member of standingOn(chain.members, ids)) {
		const message = ids.has(idOf(member)) ? words : `it stands on a damaged layer: ${words}`;
		const { vm } = member.manifest;
		await repository.writeMarks(member, {
			validation: { ...member.marks.validation, status: "NotValid", message },
		});
		await context.deps.catalog.alert({
			kind: "not valid",
			backup: idOf(member),
			vm: { uuid: vm.uuid, name: vm.name },
			text: message,
		});
	}
};

/** Links and manifests belong to no backup in particular: the alert names the newest of the chain. */
const alertProblems = async (
	context: StepContext,
	chain: Chain,
	problems: readonly string[],
): Promise<void> => {
	const newest = chain.members.at(-1);
	if (newest === undefined || problems.length === 0) return;
	const { uuid, name } = newest.manifest.vm;
	await context.deps.catalog.alert({
		kind: "not valid",
		backup: idOf(newest),
		vm: { uuid, name },
		text: `chain ${chain.id} cannot be trusted: ${problems.join("; ")}`,
	});
};

const endBadChain = async (
	context: StepContext,
	repository: Repository,
	chain: Chain,
	why: string,
): Promise<void> => {
	const { catalog, clock, host } = context.deps;
	if (chainEndReason(chain) !== null) return;
	const name = "backup.validation.end.chain.on.fail";
	if (!(await catalog.setting(name, { vm: chain.vm }))) return;
	const reason = `a verification found damage: ${why}`;
	await repository.endChain(chain.vm, chain.id, { reason, at: clock.now(), host: host.id });
	context.log("warn", `chain ${chain.id} has ended: ${reason}`);
};

const record = async (
	context: StepContext,
	repository: Repository,
	chain: Chain,
	found: Found,
): Promise<Pick<Verified, "damaged" | "problems">> => {
	const findings = [...found.values()];
	const damaged = findings.flatMap((one) => [...one.damaged]);
	const problems = [
		...new Set([...problemsOf(chain), ...findings.flatMap((one) => [...one.problems])]),
	];
	await proveSound(context, repository, chain, found);
	const [first] = damaged;
	if (first !== undefined) await markDamaged(context, repository, chain, { damaged });
	else await alertProblems(context, chain, problems);
	const why = first === undefined ? problems[0] : `${first.path}: ${first.message}`;
	if (why !== undefined) await endBadChain(context, repository, chain, why);
	const plan = planOf(context);
	const place = { vm: { uuid: chain.vm, name: "" }, chain: chain.id, repository: plan.repository };
	await refreshChain(context.deps, place).catch((thrown: unknown) => {
		context.log("warn", `the view is behind: ${asKnibError(thrown).message}`);
	});
	return { damaged, problems };
};

const verifyOne = async (
	context: StepContext,
	repository: Repository,
	place: VerifyChain,
	options: { readonly rate: number; readonly onBytes: (bytes: number) => void },
): Promise<Verified> => {
	const found = new Map<string, BackupFindings>();
	let bytes = 0;
	for (const id of place.backups) {
		const before = bytes;
		const onBytes = (done: number): void => options.onBytes(before + done);
		const findings = await verifyBackup(context, repository, place, id, { ...options, onBytes });
		if (findings === undefined) continue;
		found.set(id, findings);
		bytes += findings.bytes;
	}
	const chain = await chainNow(repository, place);
	if (chain === undefined) return NOTHING;
	const files = [...found.values()].reduce((sum, one) => sum + one.files, 0);
	const verdict = await record(context, repository, chain, found);
	for (const { path, message } of verdict.damaged) context.log("error", `${path}: ${message}`);
	for (const problem of verdict.problems) context.log("error", problem);
	return { backups: found.size, files, bytes, ...verdict };
};

const sumOf = (a: Verified, b: Verified): Verified => ({
	backups: a.backups + b.backups,
	files: a.files + b.files,
	bytes: a.bytes + b.bytes,
	damaged: [...a.damaged, ...b.damaged],
	problems: [...a.problems, ...b.problems],
});

export const verifyChains: Executor<"verify-chains"> = {
	run: async (step, context): Promise<Outcomes> => {
		const repository = await context.repository();
		await repository.state();
		let verified = NOTHING;
		for (const place of step.chains) {
			const before = verified.bytes;
			const onBytes = (done: number): void =>
				context.progress(Math.min(before + done, step.bytes), step.bytes, "bytes");
			const one = await verifyOne(context, repository, place, { rate: step.rate, onBytes });
			verified = sumOf(verified, one);
		}
		// A repository that went away looks damaged everywhere: that is not what was found.
		await repository.state();
		const { damaged, problems } = verified;
		if (damaged.length + problems.length === 0) return { verified };
		const first = damaged[0] ? `${damaged[0].path}: ${damaged[0].message}` : problems[0];
		throw new KnibError(
			"VERIFY_FAILED",
			`${damaged.length} damaged files and ${problems.length} other problems in repository ${planOf(context).repository.name}: ${first}`,
			{ details: { ...verified } },
		);
	},
};
