import type { OfferingView } from "@knib/core";
import { facts } from "./table.ts";
import { instant } from "./text.ts";

const yes = (value: boolean): string => (value ? "yes" : "no");

/** All fields of an offering. */
export const offeringText = (offering: OfferingView): string =>
	facts([
		["name", offering.name],
		["id", offering.id],
		["description", offering.description],
		["default", yes(offering.default)],
		["VMs", offering.vms],
		["chain size", offering.backupChainSize ?? "as the setting says"],
		["repository", offering.repository ?? "chosen for each chain"],
		["tracker", offering.tracker],
		[
			"compress",
			offering.compress ? `${offering.compressWhen}, ${offering.compressionLibrary}` : "no",
		],
		["validate", offering.validate ? offering.validationSteps.join(", ") : "no"],
		["quick restore", yes(offering.allowQuickRestore)],
		["extract files", yes(offering.allowExtractFile)],
		[
			"retention",
			offering.retention === undefined ? "everything" : JSON.stringify(offering.retention),
		],
		["created", instant(offering.createdAt)],
		["removed", offering.removedAt === undefined ? null : instant(offering.removedAt)],
	]);
