import {
	asKnibError,
	type BackupPlan,
	type Consistency,
	type Identity,
	KnibError,
	type Layer,
	layerLibrary,
	type Manifest,
	type Outcomes,
	REPOSITORY_FORMAT,
	type Step,
	type TrackedDisk,
} from "@knib/core";
import { markOutcome } from "../../repository/appear.ts";
import { identityDigest } from "../../repository/identity-digest.ts";
import type { Executor, StepContext } from "../context.ts";

const required = <T>(value: T | undefined, what: string): T => {
	if (value === undefined) throw new KnibError("INTERNAL", `the journal does not say ${what}`);
	return value;
};

const overlaysOf = (steps: readonly Step[]) =>
	steps.flatMap((step) => (step.kind === "make-overlays" ? step.disks : []));

const trackedDisks = (plan: BackupPlan): readonly TrackedDisk[] =>
	overlaysOf(plan.steps).map((disk) => ({
		target: disk.target,
		frozen: disk.base,
		...(plan.tracked ? { overlay: { path: disk.overlay } } : {}),
	}));

const layersOf = (plan: BackupPlan, outcomes: Outcomes): readonly Layer[] => {
	const planned = plan.steps.flatMap((step) => (step.kind === "copy-layers" ? [step] : []))[0];
	return required(outcomes.layers, "what was copied")
		.map((layer): Layer => {
			const plan = planned?.layers.find((one) => one.target === layer.target);
			const parent = plan?.parent ?? null;
			return {
				target: layer.target,
				file: `${layer.target}.qcow2`,
				size: layer.size,
				allocated: layer.allocated,
				uncompressedSize: layer.allocated,
				virtualSize: layer.virtualSize,
				sha256: layer.sha256,
				headerDigest: layer.headerDigest,
				backing: parent === null ? null : `../${parent}/${layer.target}.qcow2`,
				compression: plan === undefined ? null : layerLibrary(plan, planned?.compression ?? null),
				...(plan?.source === undefined ? {} : { source: plan.source }),
			};
		})
		.sort((a, b) => (a.target < b.target ? -1 : 1));
};

const consistencyOf = (plan: BackupPlan, outcomes: Outcomes): Consistency =>
	plan.consistency === "quiesced" && outcomes.thawedEarly === true
		? "crash-consistent: thawed early"
		: plan.consistency;

const buildManifest = async (context: StepContext, plan: BackupPlan): Promise<Manifest> => {
	const { outcomes, deps } = context;
	const layers = layersOf(plan, outcomes);
	const lease = await context.lease();
	const identity: Identity = {
		id: plan.backup,
		vm: plan.vm.uuid,
		chain: plan.chain,
		sequence: plan.sequence,
		pointInTime: outcomes.pointInTime ?? plan.createdAt,
		disks: layers.map(({ target, virtualSize }) => ({ target, virtualSize })),
		nonce: plan.nonce,
		fencing: lease.fencing,
	};
	return {
		format: REPOSITORY_FORMAT,
		identity,
		identityDigest: identityDigest(identity),
		parent: plan.parent,
		kind: plan.kind,
		reason: plan.reason,
		vm: { ...plan.vm, state: plan.vmState },
		host: deps.host,
		repository: plan.repository,
		createdAt: plan.createdAt,
		consistency: consistencyOf(plan, outcomes),
		labels: [...plan.labels],
		offering: { ...plan.offering },
		generation: { number: 1, publishedAt: deps.clock.now(), layers: [...layers] },
		tracker: { kind: "overlay", disks: [...trackedDisks(plan)] },
		skipped: [...plan.skipped],
		machine: required(outcomes.machine, "what was saved of the machine"),
		endsChain: plan.endsChain,
		versions: { knib: deps.version, ...(await deps.hypervisor.versions()) },
	};
};

/** The backup appears (SPEC 2.10). When it is there already, from an earlier life of the daemon, that is success. */
export const publish: Executor<"publish"> = {
	run: async (_step, context): Promise<Outcomes> => {
		const { plan } = context;
		if (plan.type !== "Backup") throw new KnibError("INTERNAL", "only a backup is published");
		const { repository, existing } = await markOutcome(
			context.repeated ? "unknown" : "not-done",
			async () => {
				const opened = await context.repository();
				return { repository: opened, existing: await opened.find(plan.backup) };
			},
		);
		if (existing !== undefined) return { manifest: existing.manifest };
		const manifest = await markOutcome("not-done", async () => {
			const lease = await context.lease();
			await lease.check();
			return await buildManifest(context, plan);
		});
		const published = await repository.publish(manifest);
		return { manifest: published.manifest };
	},
	undo: async (_step, { plan, repository }) => {
		if (plan.type !== "Backup") return;
		if ((await (await repository()).find(plan.backup)) !== undefined) {
			throw new KnibError(
				"INTERNAL",
				`backup ${plan.backup} is published and cannot be taken back`,
			);
		}
	},
};

/** No merge before the manifest has been read back by a new open (SAFETY F17). */
export const confirm: Executor<"confirm"> = {
	run: async (_step, { repository, outcomes, deps }): Promise<Outcomes> => {
		const manifest = required(outcomes.manifest, "what was published");
		const confirmed = repository().then((one) => one.confirm(manifest));
		await confirmed.catch((thrown: unknown) => {
			const error = asKnibError(thrown);
			throw new KnibError(
				error.code,
				`the published backup could not be read back: ${error.message}`,
				{
					cause: thrown,
					details: { ...error.details, outcome: "unknown" },
				},
			);
		});
		return { proof: { level: "copied", at: deps.clock.now(), host: deps.host.id, durationMs: 0 } };
	},
};

/** The old chain takes no further backup. Ending an ended chain again changes nothing. */
export const endChain: Executor<"end-chain"> = {
	run: async (step, context) => {
		await context.lease();
		const { plan, deps } = context;
		const repository = await context.repository();
		await repository.endChain(plan.vm.uuid, step.chain, {
			reason: step.reason,
			at: deps.clock.now(),
			host: deps.host.id,
		});
		return {};
	},
};
