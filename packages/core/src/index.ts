// The public surface of the core package, by hand: what is not listed here is private to it.
export * from "./api/job-request.ts";
export * from "./api/views.ts";
export * from "./domain/chain.ts";
export * from "./domain/ids.ts";
export * from "./domain/image.ts";
export * from "./domain/job.ts";
export * from "./domain/manifest.ts";
export * from "./domain/offering.ts";
export * from "./domain/vm.ts";
export * from "./errors.ts";
export * from "./ports.ts";
export * from "./repository-port.ts";
export * from "./settings.ts";
