// The flags of `selector create` and `selector update`.
import { parseCondition } from "@knib/core";
import { Flags } from "@oclif/core";

/** What the flags are; one command requires some of them, the other none. */
export const matchText = {
	summary:
		"which VMs: name=GLOB, tag=TAG (<knib:tag> in the definition's metadata), host=HOST or offering=OFFERING; all that are given must hold",
	helpValue: "KEY=VALUE",
	multiple: true,
	multipleNonGreedy: true,
} as const;
export const repositoryText = {
	summary: "where new chains of these VMs go, by name or id",
	helpValue: "R",
};
export const priorityFlag = Flags.integer({
	summary: "smaller ones are asked first, those of one priority by name; 100 where none is given",
	helpValue: "N",
	min: 0,
	max: 1_000_000,
});

type Given = {
	readonly match?: readonly string[] | undefined;
	readonly repository?: string | undefined;
	readonly priority?: number | undefined;
};

/** What was given, as the daemon takes it. Throws USAGE. */
export const selectorFieldsOf = ({ match, repository, priority }: Given) => ({
	...(match === undefined ? {} : { match: match.map(parseCondition) }),
	...(repository === undefined ? {} : { repository }),
	...(priority === undefined ? {} : { priority }),
});
