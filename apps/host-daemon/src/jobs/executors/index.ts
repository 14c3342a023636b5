// One exhaustive table from the kind of a step to what carries it out.
import type { Outcomes, Step, StepKind } from "@knib/core";
import type { Executor, StepContext } from "../context.ts";
import type { StepRunner } from "../run-job.ts";
import { attachDisk } from "./attach-disk.ts";
import { beginCompression, compressLayers, verifyOldLayers } from "./compress.ts";
import { foldLayers, switchFolded } from "./consolidate.ts";
import { checkLayers, copyLayers } from "./copy-layers.ts";
import { markRemoved, trashBackups } from "./delete.ts";
import { fetchStep, placeStep } from "./extract-files.ts";
import { beginFinalize, discardCompressed, proveCompressed, switchLayers } from "./finalize.ts";
import { dropOld, undoRestore } from "./kept-disks.ts";
import { lease } from "./lease.ts";
import { mergeDetached } from "./merge-detached.ts";
import { mergeOverlays } from "./merge-overlays.ts";
import { makeOverlays, switchOverlays } from "./overlays.ts";
import { confirm, endChain, publish } from "./publish.ts";
import { pullLayers } from "./pull-layers.ts";
import { makeQuickDisks } from "./quick-disks.ts";
import { recordTracker } from "./record-tracker.ts";
import { checkDisks, copyDisks, defineVm, hold, startVm, verifyLayers } from "./restore-new.ts";
import { saveMachine } from "./save-machine.ts";
import { shutDown, switchDisks } from "./switch-disks.ts";
import { beginValidation, reportObstacles } from "./validation-begin.ts";
import { verifyDigests } from "./validation-digests.ts";
import { runGuestCommand, takeScreenshot, waitForBoot } from "./validation-guest.ts";
import { recordValidation } from "./validation-record.ts";
import { bootValidationVm, makeValidationDisks, tearDown } from "./validation-vm.ts";
import { verifyChains } from "./verify-chains.ts";

type Table = { readonly [K in StepKind]: Executor<K> };

const EXECUTORS: Table = {
	lease,
	"make-overlays": makeOverlays,
	"switch-overlays": switchOverlays,
	"copy-layers": copyLayers,
	"check-layers": checkLayers,
	"save-machine": saveMachine,
	publish,
	confirm,
	"end-chain": endChain,
	"merge-overlays": mergeOverlays,
	"merge-detached": mergeDetached,
	"record-tracker": recordTracker,
	hold,
	"verify-layers": verifyLayers,
	"copy-disks": copyDisks,
	"check-disks": checkDisks,
	"define-vm": defineVm,
	"shut-down": shutDown,
	"switch-disks": switchDisks,
	"undo-restore": undoRestore,
	"drop-old": dropOld,
	"make-quick-disks": makeQuickDisks,
	"pull-layers": pullLayers,
	"attach-disk": attachDisk,
	"start-vm": startVm,
	"fetch-files": fetchStep,
	"place-files": placeStep,
	"report-obstacles": reportObstacles,
	"begin-validation": beginValidation,
	"verify-digests": verifyDigests,
	"make-validation-disks": makeValidationDisks,
	"boot-validation-vm": bootValidationVm,
	"wait-for-boot": waitForBoot,
	"take-screenshot": takeScreenshot,
	"run-command": runGuestCommand,
	"tear-down": tearDown,
	"record-validation": recordValidation,
	"begin-compression": beginCompression,
	"verify-old-layers": verifyOldLayers,
	"compress-layers": compressLayers,
	"begin-finalize": beginFinalize,
	"prove-compressed": proveCompressed,
	"switch-layers": switchLayers,
	"discard-compressed": discardCompressed,
	"mark-removed": markRemoved,
	"fold-layers": foldLayers,
	"switch-folded": switchFolded,
	"trash-backups": trashBackups,
	"verify-chains": verifyChains,
};

const executorOf = <K extends StepKind>(kind: K): Executor<K> => EXECUTORS[kind];

/** Carries a step out through the table. The cast ties a step to the executor of its own kind, which TypeScript cannot follow through a union. */
const apply = <K extends StepKind>(step: Step & { kind: K }): Executor<K> => executorOf(step.kind);

export const executors: StepRunner = {
	run: (step: Step, context: StepContext): Promise<Outcomes> =>
		apply(step).run(step as never, context),
	undo: async (step: Step, context: StepContext): Promise<void> => {
		await apply(step).undo?.(step as never, context);
	},
};
