// The public surface of the core package, by hand: what is not listed here is private to it.
export * from "./api/admin-views.ts";
export * from "./api/benchmark.ts";
export * from "./api/events.ts";
export * from "./api/files.ts";
export * from "./api/inputs.ts";
export * from "./api/job-request.ts";
export * from "./api/peer-views.ts";
export * from "./api/restore-plan-file.ts";
export * from "./api/restore-plan-views.ts";
export * from "./api/retention.ts";
export * from "./api/schedules.ts";
export * from "./api/selectors.ts";
export * from "./api/trash-view.ts";
export * from "./api/view-builders.ts";
export * from "./api/view-schemas.ts";
export * from "./api/views.ts";
export * from "./domain/chain.ts";
export * from "./domain/file-name.ts";
export * from "./domain/guest-command.ts";
export * from "./domain/host-id.ts";
export * from "./domain/ids.ts";
export * from "./domain/image.ts";
export * from "./domain/intent.ts";
export * from "./domain/job.ts";
export * from "./domain/manifest.ts";
export * from "./domain/name-pattern.ts";
export * from "./domain/offering.ts";
export * from "./domain/retention-label.ts";
export * from "./domain/safe-link.ts";
export * from "./domain/schedule.ts";
export * from "./domain/screen.ts";
export * from "./domain/selector.ts";
export * from "./domain/validation.ts";
export * from "./domain/vm.ts";
export * from "./domain/vm-policy.ts";
export * from "./errors.ts";
export * from "./machine/job-machine.ts";
export * from "./machine/journal-entry.ts";
export * from "./machine/restore-run.ts";
export * from "./machine/run-state.ts";
export * from "./plan/admission.ts";
export * from "./plan/admit-service.ts";
export * from "./plan/choose-repository.ts";
export * from "./plan/clock-guard.ts";
export * from "./plan/due-schedules.ts";
export * from "./plan/due-validations.ts";
export * from "./plan/estimate-restores.ts";
export * from "./plan/facts.ts";
export * from "./plan/files-refusals.ts";
export * from "./plan/follow-ups.ts";
export * from "./plan/merges.ts";
export * from "./plan/order-restores.ts";
export * from "./plan/overlay-name.ts";
export * from "./plan/pick-drills.ts";
export * from "./plan/plan.ts";
export * from "./plan/plan-backup.ts";
export * from "./plan/plan-benchmark.ts";
export * from "./plan/plan-compression.ts";
export * from "./plan/plan-consolidate.ts";
export * from "./plan/plan-delete.ts";
export * from "./plan/plan-extract.ts";
export * from "./plan/plan-finish.ts";
export * from "./plan/plan-merge-overlays.ts";
export * from "./plan/plan-pull.ts";
export * from "./plan/plan-restore.ts";
export * from "./plan/plan-restore-disk.ts";
export * from "./plan/plan-restore-in-place.ts";
export * from "./plan/plan-retention.ts";
export * from "./plan/plan-undelete.ts";
export * from "./plan/plan-validation.ts";
export * from "./plan/plan-verify.ts";
export * from "./plan/prove-base.ts";
export * from "./plan/quick-disks.ts";
export * from "./plan/read-layers.ts";
export * from "./plan/restore-facts.ts";
export * from "./plan/restore-in-place-refusals.ts";
export * from "./plan/select-disks.ts";
export * from "./plan/service-plans.ts";
export * from "./plan/service-retry.ts";
export * from "./plan/service-steps.ts";
export * from "./plan/steps.ts";
export * from "./plan/tracked-after.ts";
export * from "./plan/trash-ledger.ts";
export * from "./plan/validation-facts.ts";
export * from "./ports.ts";
export * from "./quantities.ts";
export * from "./replication/accept.ts";
export * from "./replication/canonical-json.ts";
export * from "./replication/edit-shared.ts";
export * from "./replication/hybrid-clock.ts";
export * from "./replication/members.ts";
export * from "./replication/merge.ts";
export * from "./replication/replica-document.ts";
export * from "./replication/shared-body.ts";
export * from "./replication/succession.ts";
export * from "./replication/topology.ts";
export * from "./replication/writers.ts";
export * from "./repository-port.ts";
export * from "./settings.ts";
export {
	DOCUMENT_KINDS,
	type DocumentBody,
	type DocumentKind,
	documentBodySchema,
	documentIdSchema,
	documentKindSchema,
	type Envelope,
	envelopeSchema,
	type Store,
	type StoreChange,
	StoreError,
	type StoreErrorCode,
	type StoreListener,
	type Tombstone,
} from "./store.ts";
