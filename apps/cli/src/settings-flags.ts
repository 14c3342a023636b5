import { Flags } from "@oclif/core";

/** Where a setting is meant; neither flag means the cluster. */
export const scopeFlags = {
	host: Flags.string({ summary: "for this host", helpValue: "HOST", exclusive: ["vm"] }),
	vm: Flags.string({ summary: "for this VM", helpValue: "VM", exclusive: ["host"] }),
};

type Given = { readonly host?: string | undefined; readonly vm?: string | undefined };

/** The scope of a request, without the flags that were not given. */
export const scopeOf = ({ host, vm }: Given) => ({
	...(host === undefined ? {} : { host }),
	...(vm === undefined ? {} : { vm }),
});
