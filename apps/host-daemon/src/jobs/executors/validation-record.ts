// What a validation leaves: the report beside the backup, its marks and proofs, the marks of backups that stand on a damaged layer,
// the end of the chain where the setting says so, and the VM's restore-time promise.
import {
	asKnibError,
	type BackupMarks,
	type Chain,
	chainEndReason,
	type KnibError,
	KnibError as KnibFailure,
	mergeProofs,
	type Proof,
	type PublishedBackup,
	provenLevels,
	type ValidationPlan,
	type ValidationReport,
	type ValidationStepReport,
} from "@knib/core";
import type { Executor, JobDeps, StepContext } from "../context.ts";
import { releaseHold } from "./restore-hold.ts";
import { validationPlanOf } from "./validation-context.ts";

const failureOf = (steps: readonly ValidationStepReport[]): string | null => {
	const failed = steps.filter((step) => !step.ok);
	return failed.length === 0
		? null
		: failed.map((step) => `${step.step}: ${step.message}`).join("; ");
};

const reportOf = (context: StepContext, plan: ValidationPlan): ValidationReport => {
	const { outcomes, deps } = context;
	const steps = outcomes.validation ?? [];
	const message = failureOf(steps);
	return {
		at: deps.clock.now(),
		host: deps.host,
		job: context.job,
		backup: plan.backup,
		status: message === null ? "Valid" : "NotValid",
		message,
		steps: [...steps],
		agentMs: outcomes.agentMs ?? null,
		answerMs: outcomes.answerMs ?? null,
		dropped: [...plan.dropped],
		accelerator: outcomes.accelerator ?? null,
	};
};

const markOf = (report: ValidationReport, plan: ValidationPlan, screenshot: boolean) =>
	({
		status: report.status,
		message: report.message,
		steps: report.steps.map((step) => ({ ...step })),
		last: {
			at: report.at,
			host: report.host.name,
			name: plan.at,
			screenshot,
			agentMs: report.agentMs,
			answerMs: report.answerMs,
		},
	}) satisfies BackupMarks["validation"];

const proofsOf = (backup: PublishedBackup, report: ValidationReport): Proof[] => {
	const { at, host } = report;
	const proven = provenLevels(report.steps).map(
		({ level, durationMs }): Proof => ({ level, at, host: host.id, durationMs }),
	);
	return [...mergeProofs(backup.marks.proofs, proven)];
};

/** Members that stand on one of the given backups, these included; oldest first. */
export const standingOn = (
	members: readonly PublishedBackup[],
	damaged: ReadonlySet<string>,
): readonly PublishedBackup[] => {
	const found = new Set<string>();
	return members.filter(({ manifest }) => {
		const { id } = manifest.identity;
		const stands = damaged.has(id) || (manifest.parent !== null && found.has(manifest.parent.id));
		if (stands) found.add(id);
		return stands;
	});
};

type Recorded = { readonly chain: Chain; readonly report: ValidationReport };

/** Marks the backups that stand on a damaged layer; the validated one has its own report. */
const markDescendants = async (
	context: StepContext,
	{ chain, report }: Recorded,
): Promise<void> => {
	const damaged = context.outcomes.damaged ?? [];
	const repository = await context.repository();
	const ids = new Set(damaged.map((one) => one.backup));
	const words = damaged.map(({ path, message }) => `${path}: ${message}`).join("; ");
	for (const member of standingOn(chain.members, ids)) {
		const { id } = member.manifest.identity;
		if (id === report.backup) continue;
		const message = `it stands on a damaged layer: ${words}`;
		const { steps } = member.marks.validation;
		await repository.writeMarks(member, { validation: { status: "NotValid", message, steps } });
		await context.deps.catalog.alert({
			kind: "not valid",
			backup: id,
			vm: validationPlanOf(context).vm,
			text: message,
		});
	}
};

/** The ancestors whose layers were read whole and are as published are `checked` too. */
const proveAncestors = async (context: StepContext, { chain, report }: Recorded): Promise<void> => {
	const digest = report.steps.find((step) => step.step === "digest" && step.ok);
	if (digest === undefined) return;
	const read = new Set(
		validationPlanOf(context).steps.flatMap((step) =>
			step.kind === "verify-digests" ? step.layers.map((layer) => layer.backup) : [],
		),
	);
	const { at, host } = report;
	const proof: Proof = { level: "checked", at, host: host.id, durationMs: digest.durationMs };
	const repository = await context.repository();
	for (const member of chain.members) {
		const { id } = member.manifest.identity;
		if (id === report.backup || !read.has(id)) continue;
		await repository.writeMarks(member, { proofs: [...mergeProofs(member.marks.proofs, [proof])] });
	}
};

/** Ends the chain of a backup that is not valid. Needs no lease: the file is made once, its first reason stands, and a backup under way is published all the same. */
const endBadChain = async (context: StepContext, { chain, report }: Recorded): Promise<void> => {
	const plan = validationPlanOf(context);
	if (report.status === "Valid" || !plan.endChainOnFail || chainEndReason(chain) !== null) return;
	const { clock, host } = context.deps;
	const reason = `backup ${plan.backup} is not valid: ${report.message ?? ""}`;
	await (await context.repository()).endChain(plan.vm.uuid, plan.chain, {
		reason,
		at: clock.now(),
		host: host.id,
	});
	context.log("warn", `the chain has ended: ${reason}`);
};

/** Brings the view of a chain up to date with its repository. */
export const refreshChain = async (
	deps: JobDeps,
	plan: Pick<ValidationPlan, "vm" | "chain" | "repository">,
): Promise<void> => {
	const known = (await deps.catalog.repositories()).find((one) => one.id === plan.repository.id);
	if (known === undefined) return;
	const chains = await (await deps.catalog.open(known.id)).chains(plan.vm.uuid);
	const chain = chains.find((one) => one.id === plan.chain);
	if (chain !== undefined) await deps.catalog.recordChain(known, chain);
};

const notValid = (plan: ValidationPlan, report: ValidationReport): KnibError =>
	new KnibFailure("VERIFY_FAILED", `backup ${plan.backup} is not valid: ${report.message ?? ""}`, {
		details: { backup: plan.backup, status: report.status, validation: report.steps },
	});

const recordAll = async (context: StepContext): Promise<ValidationReport> => {
	const plan = validationPlanOf(context);
	const repository = await context.repository();
	const chain = (await repository.chains(plan.vm.uuid)).find((one) => one.id === plan.chain);
	const backup = chain?.members.find((one) => one.manifest.identity.id === plan.backup);
	if (chain === undefined || backup === undefined) {
		throw new KnibFailure("NOT_FOUND", `backup ${plan.backup} is not in its repository any more`);
	}
	const report = reportOf(context, plan);
	const contents = `${JSON.stringify(report, null, 2)}\n`;
	await repository.keepValidation(backup, plan.at, [{ name: "report.json", contents }]);
	await repository.writeMarks(backup, {
		validation: markOf(report, plan, context.outcomes.screenshot === true),
		proofs: proofsOf(backup, report),
	});
	await proveAncestors(context, { chain, report });
	await markDescendants(context, { chain, report });
	await endBadChain(context, { chain, report });
	return report;
};

/** Records the result and gives the hold back. A backup that is not valid fails the job with VERIFY_FAILED, once all of it is recorded. */
export const recordValidation: Executor<"record-validation"> = {
	run: async (_step, context) => {
		const plan = validationPlanOf(context);
		const { catalog } = context.deps;
		const report = await recordAll(context);
		const { agentMs, answerMs } = report;
		await catalog.promise(plan.vm.uuid, { bootMs: agentMs, answerMs });
		const alert = { kind: "not valid", backup: plan.backup, vm: plan.vm } as const;
		await catalog.alert({ ...alert, text: report.status === "Valid" ? null : report.message });
		await catalog.alert({ ...alert, kind: "unable to validate", text: null });
		await refreshChain(context.deps, plan);
		await releaseHold(context);
		if (report.status === "NotValid") throw notValid(plan, report);
		return {};
	},
};

/** Records that a backup could not be validated by our own fault: its mark, where the repository answers, the view, and an alert. Never rejects. */
export const recordUnable = async (
	deps: JobDeps,
	subject: Pick<ValidationPlan, "vm" | "backup" | "chain" | "repository">,
	error: KnibError,
	log: (text: string) => void,
): Promise<void> => {
	const { catalog } = deps;
	const message = error.message;
	try {
		const repository = await catalog.open(subject.repository.id);
		const backup = await repository.find(subject.backup);
		if (backup !== undefined) {
			const { steps } = backup.marks.validation;
			const validation = { status: "UnableToValidate", message, steps } as const;
			await repository.writeMarks(backup, { validation });
			await refreshChain(deps, subject);
		}
	} catch (thrown) {
		log(`its mark could not be written: ${asKnibError(thrown).message}`);
	}
	try {
		await catalog.unableToValidate(subject.backup, message);
		await catalog.alert({
			kind: "unable to validate",
			backup: subject.backup,
			vm: subject.vm,
			text: message,
		});
	} catch (thrown) {
		log(`the view could not be brought up to date: ${asKnibError(thrown).message}`);
	}
};

/** Errors that say nothing of this host: a result that is recorded already, the user's wish, a restart after which the job is tried again. */
const NOT_TROUBLE: ReadonlySet<string> = new Set([
	"VERIFY_FAILED",
	"CANCELLED",
	"INTERRUPTED",
	"REFUSED",
	"NOT_FOUND",
	"BACKUP_BUSY",
]);

/** Whether a validation failed by our own fault, so that the backup is UnableToValidate. */
export const isOwnTrouble = (error: KnibError): boolean => !NOT_TROUBLE.has(error.code);
