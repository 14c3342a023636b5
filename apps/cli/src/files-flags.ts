import { Flags } from "@oclif/core";

/** Which file system of a backup is meant. */
export const diskFlags = {
	partition: Flags.string({
		summary: "number of a partition, `whole` for a disk without any, or `group/volume` of LVM",
		helpValue: "N",
	}),
};
