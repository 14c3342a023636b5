import {
	admit,
	assertNever,
	copiedBytes,
	isRefusal,
	type JobRequest,
	KnibError,
	notNow,
	type Plan,
	type PlanView,
	planBackup,
	planConsolidate,
	planDelete,
	planExtract,
	planFinalizeCompression,
	planFinish,
	planKeptDisks,
	planMergeOverlays,
	planRestoreDisk,
	planRestoreInPlace,
	planRestoreNew,
	planStartCompression,
	planValidation,
	planVerify,
	type Refusal,
	type Step,
	type VmFacts,
} from "@knib/core";
import { gatherBackup, gatherFinish } from "../facts/gather-backup.ts";
import { gatherExtract } from "../facts/gather-extract.ts";
import { gatherInPlace, gatherKept } from "../facts/gather-in-place.ts";
import { assertConsolidated, gatherConsolidate } from "../facts/gather-quick.ts";
import { gatherRestore } from "../facts/gather-restore.ts";
import { gatherRestoreDisk } from "../facts/gather-restore-disk.ts";
import {
	findSubject,
	gatherAdmission,
	gatherDelete,
	gatherFinalize,
	gatherStartCompression,
} from "../facts/gather-service.ts";
import { gatherValidation } from "../facts/gather-validation.ts";
import { gatherVerify } from "../facts/gather-verify.ts";
import type { JobDeps } from "./context.ts";
import { noteUnplanned } from "./note-unplanned.ts";

/** A validation waits while the layers that it would read are being switched or deleted. */
const assertValidatable = async (
	deps: JobDeps,
	text: string,
	self: string | undefined,
): Promise<void> => {
	const view = await deps.catalog.findBackup(text);
	const found = await findSubject(deps, view);
	if (found === null) return;
	const facts = await gatherAdmission(deps, found.repository, found.subject.chain, self);
	const busy = admit("validate", view.id, facts).find((one) => one.code === "BACKUP_BUSY");
	if (busy !== undefined) throw notNow(`backup ${view.id} is not validated yet: ${busy.reason}`);
};

/** What is only kept open for further questions does not stand in the way of a change. */
const releaseFiles = async (deps: JobDeps, text: string): Promise<void> => {
	const { chain } = await deps.catalog.findBackup(text);
	if (chain !== null) await deps.releaseFiles?.(chain);
};

const decideRestore = async (
	deps: JobDeps,
	request: Extract<JobRequest, { type: "Restore" }>,
	self: string | undefined,
): Promise<Plan | Refusal> => {
	switch (request.mode) {
		case "new":
			return planRestoreNew(await gatherRestore(deps, request));
		case "in-place":
			return planRestoreInPlace(await gatherInPlace(deps, request, self));
		case "undo":
		case "confirm":
			return planKeptDisks(await gatherKept(deps, request));
	}
};

/** The repository that keeps the VM's lease: that of its open chain, else that of its next one. */
const placeOfLease = async (
	{ catalog }: JobDeps,
	{ vm, open }: VmFacts,
): Promise<{ readonly id: string; readonly name: string }> => {
	if (open !== null) return open.repository;
	const choice = await catalog.choose(vm, await catalog.offeringOf(vm.uuid));
	if (!isRefusal(choice)) return choice.repository;
	throw new KnibError(choice.code, choice.message, { details: choice.details });
};

const decide = async (
	deps: JobDeps,
	request: JobRequest,
	self: string | undefined,
): Promise<Plan | Refusal> => {
	switch (request.type) {
		case "Backup":
			await assertConsolidated(deps, request.vm);
			return planBackup(await gatherBackup(deps, request));
		case "FinishChain": {
			const facts = await gatherFinish(deps, request);
			const why = request.unassigned ? "the VM left its offering" : "finished by hand";
			return planFinish(facts, await placeOfLease(deps, facts), why);
		}
		case "MergeOverlays": {
			const facts = await gatherFinish(deps, request);
			return planMergeOverlays(facts, await placeOfLease(deps, facts));
		}
		case "Restore":
			return decideRestore(deps, request, self);
		case "RestoreDisk":
			return planRestoreDisk(await gatherRestoreDisk(deps, request));
		case "Consolidate":
			return planConsolidate(await gatherConsolidate(deps, request));
		case "BackupValidation":
			await assertValidatable(deps, request.backup, self);
			return planValidation(await gatherValidation(deps, request));
		case "StartCompression":
			return planStartCompression(await gatherStartCompression(deps, request, self));
		case "FinalizeCompression":
			await releaseFiles(deps, request.backup);
			return planFinalizeCompression(await gatherFinalize(deps, request, self));
		case "DeleteBackup":
			await releaseFiles(deps, request.backup);
			return planDelete(await gatherDelete(deps, request, self));
		case "VerifyRepository":
			return planVerify(await gatherVerify(deps, request));
		case "ExtractFiles":
			return planExtract(await gatherExtract(deps, request));
		default:
			return assertNever(request);
	}
};

/** Reads the world once and decides. `self` is the job that asks, which does not stand in its own way. Rejects with the refusal's code; nothing has been touched then. */
export const makePlan = async (
	deps: JobDeps,
	request: JobRequest,
	self?: string,
): Promise<Plan> => {
	const plan = await decide(deps, request, self);
	if (isRefusal(plan)) throw new KnibError(plan.code, plan.message, { details: plan.details });
	return plan;
};

/** As `makePlan`, for a job that is to be carried out: what keeps it from being planned is noted where that is a result of its own. */
export const planNoted = async (
	deps: JobDeps,
	request: JobRequest,
	self?: string,
): Promise<Plan> => {
	try {
		return await makePlan(deps, request, self);
	} catch (thrown) {
		await noteUnplanned(deps, request, thrown);
		throw thrown;
	}
};

const TEXTS: { readonly [K in Step["kind"]]: (step: Extract<Step, { kind: K }>) => string } = {
	lease: () => "take the VM's lease in the repository",
	"make-overlays": (step) =>
		`make an overlay for ${step.disks.map((disk) => disk.target).join(", ")}`,
	"switch-overlays": (step) =>
		`switch ${step.disks.map((disk) => disk.target).join(", ")} to the overlays at one instant${step.quiesce ? ", guest frozen" : ""}`,
	"copy-layers": (step) =>
		step.layers
			.map(
				(layer) =>
					`copy ${layer.mode === "whole" ? "all" : "the increment"} of ${layer.target} (up to ${layer.bytes} bytes)`,
			)
			.join("; "),
	"check-layers": () => "check and compare the copies",
	"save-machine": () => "save the VM's definition and firmware state",
	publish: () => "publish the backup",
	confirm: () => "read the published backup back",
	"end-chain": (step) => `end chain ${step.chain}: ${step.reason}`,
	"merge-overlays": (step) =>
		step.merges
			.map((merge) => `merge overlays of ${merge.target} into ${merge.base.path}`)
			.join("; "),
	"merge-detached": (step) =>
		step.disks
			.map(
				({ target, base }) =>
					`merge the overlay of ${target}, which has left the VM, into ${base.path}`,
			)
			.join("; "),
	"record-tracker": () => "record the disks' files for the next increment",
	hold: () => "hold the chain in the repository",
	"verify-layers": () => "verify the digests of the layers",
	"copy-disks": (step) =>
		step.disks.map((disk) => `write ${disk.target} to ${disk.path}`).join("; "),
	"check-disks": () => "check and compare the new disks",
	"define-vm": () => "define the VM",
	"shut-down": () => "shut the VM down",
	"switch-disks": (step) =>
		`set the old images aside as *.knib-old-${step.id} and put ${step.disks.map((disk) => disk.target).join(", ")} in their place`,
	"undo-restore": () => "put the disks that were set aside back in place",
	"drop-old": () => "delete the disks that were set aside",
	"make-quick-disks": (step) =>
		step.disks.map((disk) => `make ${disk.place} over ${disk.layers[0] ?? "no layer"}`).join("; "),
	"attach-disk": (step) => `attach ${step.path} as ${step.target}`,
	"pull-layers": () => "pull the layers into the disks while the VM runs",
	"report-obstacles": (step) => `say what is in the way: ${step.obstacles.join("; ")}`,
	"begin-validation": () => "hold the chain and mark the backup as being validated",
	"verify-digests": (step) => `hash ${step.layers.length} layers and check them`,
	"make-validation-disks": (step) =>
		`make throw-away overlays over ${step.disks.map((disk) => disk.target).join(", ")} in ${step.directory}`,
	"boot-validation-vm": () => "start the throw-away VM, without any network",
	"wait-for-boot": (step) => `wait up to ${step.timeoutMs / 1000} s for its agent`,
	"take-screenshot": (step) => `wait ${step.waitMs / 1000} s, then take and judge its screen`,
	"run-command": (step) =>
		step.command === null
			? "run no command: none is set for this VM"
			: `run ${step.command.path} in the guest`,
	"tear-down": () => "end the throw-away VM and remove its files",
	"record-validation": () => "record the result beside the backup",
	"start-vm": () => "start the VM and wait for its agent",
	"begin-compression": () => "mark the backup as Compressing",
	"verify-old-layers": (step) =>
		`verify the digests of ${step.layers.map((layer) => layer.target).join(", ")}`,
	"compress-layers": (step) =>
		step.layers.map((layer) => `compress ${layer.path} with ${layer.library} beside it`).join("; "),
	"begin-finalize": () => "mark the backup as FinalizingCompression",
	"prove-compressed": (step) =>
		`compare ${step.layers.map((layer) => layer.target).join(", ")} with the originals, whose digests are verified`,
	"switch-layers": () => "put the compressed layers in place, the old ones into the trash",
	"discard-compressed": () => "delete the compressed files",
	"mark-removed": () => "mark the backup as removed",
	"fold-layers": (step) =>
		`write the layers of ${step.child} anew with what ${step.backup} holds, and compare them with the old ones`,
	"switch-folded": () =>
		"put the new layers in place, on the parent of what is taken out; the old ones into the trash",
	"verify-chains": (step) =>
		`re-read ${step.bytes} bytes in ${step.chains.length} chains and check every image`,
	"fetch-files": () => "read the files through an appliance into a directory beside their place",
	"place-files": () => "put the files in their place",
	"trash-backups": (step) => `move ${step.backups.join(", ")} into the trash`,
};

const textOf = (step: Step): string => {
	const text = TEXTS[step.kind];
	return text(step as never);
};

const bytesOf = (plan: Plan): Pick<PlanView, "bytes"> => {
	const bytes = copiedBytes(plan);
	return bytes === undefined ? {} : { bytes };
};

/** A plan as a dry run prints it. */
export const viewPlan = (plan: Plan): PlanView => ({
	type: plan.type,
	reason: plan.reason,
	explain: plan.explain,
	warnings: plan.warnings,
	steps: plan.steps.map((step) => ({ kind: step.kind, text: textOf(step) })),
	...bytesOf(plan),
});
