-- The inventory of the social network in PostgreSQL 12 or newer: a table for each of its 36 files, made in the first schema of the search path.
-- Source: entities, layouts and ids of this catalog. Licence: ISC
--
-- Ids are made of other columns and stored, so that keys can refer to them; COPY leaves them out. Up to the line "-- keys" there are tables
-- alone: rows are loaded between the two parts, and the keys then checked all at once.

CREATE TABLE environments (
	id text NOT NULL
);

CREATE TABLE provider_types (
	id text NOT NULL
);

CREATE TABLE deployment_target_types (
	id text NOT NULL
);

CREATE TABLE allocation_types (
	id text NOT NULL,
	unit text NOT NULL
);

CREATE TABLE repo_types (
	id text NOT NULL
);

CREATE TABLE languages (
	id text NOT NULL
);

CREATE TABLE providers (
	environment_id text NOT NULL,
	provider_type_id text NOT NULL,
	native_id text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (environment_id || ':' || provider_type_id || ':' || native_id) STORED
);

CREATE TABLE regions (
	provider_id text NOT NULL,
	name text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (provider_id || ':' || name) STORED
);

CREATE TABLE zones (
	region_id text NOT NULL,
	name text NOT NULL,
	native_id text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (region_id || ':' || name) STORED
);

CREATE TABLE partitions (
	region_id text NOT NULL,
	name text NOT NULL,
	native_id text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (region_id || ':' || name) STORED
);

CREATE TABLE networks (
	partition_id text NOT NULL,
	name text NOT NULL,
	cidr cidr NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (partition_id || ':' || name) STORED
);

CREATE TABLE subnets (
	network_id text NOT NULL,
	name text NOT NULL,
	cidr cidr NOT NULL,
	native_id text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (network_id || ':' || name) STORED
);

CREATE TABLE fleet_types (
	provider_type_id text NOT NULL,
	name text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (provider_type_id || ':' || name) STORED
);

CREATE TABLE deployment_targets (
	partition_id text NOT NULL,
	deployment_target_type_id text NOT NULL,
	name text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (partition_id || ':' || deployment_target_type_id || ':' || name) STORED
);

CREATE TABLE fleets (
	deployment_target_id text NOT NULL,
	fleet_type_id text NOT NULL,
	name text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (deployment_target_id || ':' || fleet_type_id || ':' || name) STORED
);

CREATE TABLE capacities (
	allocation_type_id text NOT NULL,
	fleet_id text NOT NULL,
	value numeric NOT NULL CHECK (value >= 0)
);

CREATE TABLE repos (
	repo_type_id text NOT NULL,
	name text NOT NULL,
	url text NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (repo_type_id || ':' || name) STORED
);

CREATE TABLE applications (
	id text NOT NULL,
	defaults jsonb NOT NULL
);

CREATE TABLE stacks (
	application_id text NOT NULL,
	name text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (application_id || ':' || name) STORED
);

CREATE TABLE services (
	stack_id text NOT NULL,
	name text NOT NULL,
	artifact_name text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (stack_id || ':' || name) STORED
);

CREATE TABLE procs (
	service_id text NOT NULL,
	name text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (service_id || ':' || name) STORED
);

CREATE TABLE config_templates (
	id text NOT NULL,
	language_id text NOT NULL,
	doc text NOT NULL
);

CREATE TABLE builds (
	service_id text NOT NULL,
	build_num bigint NOT NULL CHECK (build_num > 0),
	vcs_ref text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (service_id || ':' || build_num::text) STORED
);

CREATE TABLE deployments (
	deployment_target_id text NOT NULL,
	service_id text NOT NULL,
	tag text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (deployment_target_id || ':' || service_id || ':' || tag) STORED
);

CREATE TABLE deployment_procs (
	deployment_id text NOT NULL,
	proc_id text NOT NULL,
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (deployment_id || ':' || proc_id) STORED
);

CREATE TABLE releases (
	deployment_id text NOT NULL,
	build_id text NOT NULL,
	build_num bigint NOT NULL CHECK (build_num > 0),
	defaults jsonb NOT NULL,
	id text NOT NULL GENERATED ALWAYS AS (deployment_id || ':' || build_num::text) STORED
);

CREATE TABLE allocations (
	deployment_proc_id text NOT NULL,
	allocation_type_id text NOT NULL,
	watermark text NOT NULL CHECK (watermark IN ('HIGH', 'LOW')),
	value numeric NOT NULL CHECK (value >= 0),
	defaults jsonb NOT NULL
);

CREATE TABLE build_artifacts (
	build_id text NOT NULL,
	input_repo_id text NOT NULL,
	output_repo_id text NOT NULL,
	name text NOT NULL,
	upload_path text NOT NULL,
	data jsonb NOT NULL
);

CREATE TABLE release_artifacts (
	release_id text NOT NULL,
	input_repo_id text NOT NULL,
	output_repo_id text NOT NULL,
	name text NOT NULL,
	upload_path text NOT NULL,
	data jsonb NOT NULL
);

CREATE TABLE deployment_configs (
	deployment_id text NOT NULL,
	config_template_id text NOT NULL,
	name text NOT NULL,
	tag text NOT NULL,
	config jsonb NOT NULL,
	defaults jsonb NOT NULL
);

CREATE TABLE service_configs (
	service_id text NOT NULL,
	config_template_id text NOT NULL,
	name text NOT NULL,
	tag text NOT NULL,
	config jsonb NOT NULL,
	defaults jsonb NOT NULL
);

CREATE TABLE stack_configs (
	stack_id text NOT NULL,
	config_template_id text NOT NULL,
	name text NOT NULL,
	tag text NOT NULL,
	config jsonb NOT NULL,
	defaults jsonb NOT NULL
);

CREATE TABLE services_repos (
	service_id text NOT NULL,
	repo_id text NOT NULL
);

CREATE TABLE deployments_zones (
	deployment_id text NOT NULL,
	zone_id text NOT NULL
);

CREATE TABLE subnets_fleets (
	subnet_id text NOT NULL,
	fleet_id text NOT NULL
);

CREATE TABLE target_fleets (
	deployment_target_id text NOT NULL,
	fleet_id text NOT NULL
);

-- keys

ALTER TABLE environments ADD PRIMARY KEY (id);
ALTER TABLE provider_types ADD PRIMARY KEY (id);
ALTER TABLE deployment_target_types ADD PRIMARY KEY (id);
ALTER TABLE allocation_types ADD PRIMARY KEY (id);
ALTER TABLE repo_types ADD PRIMARY KEY (id);
ALTER TABLE languages ADD PRIMARY KEY (id);
ALTER TABLE providers ADD PRIMARY KEY (id);
ALTER TABLE regions ADD PRIMARY KEY (id);
ALTER TABLE zones ADD PRIMARY KEY (id);
ALTER TABLE partitions ADD PRIMARY KEY (id);
ALTER TABLE networks ADD PRIMARY KEY (id);
ALTER TABLE subnets ADD PRIMARY KEY (id);
ALTER TABLE fleet_types ADD PRIMARY KEY (id);
ALTER TABLE deployment_targets ADD PRIMARY KEY (id);
ALTER TABLE fleets ADD PRIMARY KEY (id);
ALTER TABLE capacities ADD PRIMARY KEY (fleet_id, allocation_type_id);
ALTER TABLE repos ADD PRIMARY KEY (id);
ALTER TABLE applications ADD PRIMARY KEY (id);
ALTER TABLE stacks ADD PRIMARY KEY (id);
ALTER TABLE services ADD PRIMARY KEY (id);
ALTER TABLE procs ADD PRIMARY KEY (id);
ALTER TABLE config_templates ADD PRIMARY KEY (id);
ALTER TABLE builds ADD PRIMARY KEY (id);
ALTER TABLE deployments ADD PRIMARY KEY (id);
ALTER TABLE deployment_procs ADD PRIMARY KEY (id);
ALTER TABLE releases ADD PRIMARY KEY (id);
ALTER TABLE allocations ADD PRIMARY KEY (deployment_proc_id, allocation_type_id, watermark);
ALTER TABLE build_artifacts ADD PRIMARY KEY (build_id, name);
ALTER TABLE release_artifacts ADD PRIMARY KEY (release_id, name);
ALTER TABLE deployment_configs ADD PRIMARY KEY (deployment_id, config_template_id, name, tag);
ALTER TABLE service_configs ADD PRIMARY KEY (service_id, config_template_id, name, tag);
ALTER TABLE stack_configs ADD PRIMARY KEY (stack_id, config_template_id, name, tag);
ALTER TABLE services_repos ADD PRIMARY KEY (service_id, repo_id);
ALTER TABLE deployments_zones ADD PRIMARY KEY (deployment_id, zone_id);
ALTER TABLE subnets_fleets ADD PRIMARY KEY (subnet_id, fleet_id);
ALTER TABLE target_fleets ADD PRIMARY KEY (deployment_target_id, fleet_id);

ALTER TABLE providers ADD FOREIGN KEY (environment_id) REFERENCES environments (id);
ALTER TABLE providers ADD FOREIGN KEY (provider_type_id) REFERENCES provider_types (id);
ALTER TABLE regions ADD FOREIGN KEY (provider_id) REFERENCES providers (id);
ALTER TABLE zones ADD FOREIGN KEY (region_id) REFERENCES regions (id);
ALTER TABLE partitions ADD FOREIGN KEY (region_id) REFERENCES regions (id);
ALTER TABLE networks ADD FOREIGN KEY (partition_id) REFERENCES partitions (id);
ALTER TABLE subnets ADD FOREIGN KEY (network_id) REFERENCES networks (id);
ALTER TABLE fleet_types ADD FOREIGN KEY (provider_type_id) REFERENCES provider_types (id);
ALTER TABLE deployment_targets ADD FOREIGN KEY (partition_id) REFERENCES partitions (id);
ALTER TABLE deployment_targets ADD FOREIGN KEY (deployment_target_type_id) REFERENCES deployment_target_types (id);
ALTER TABLE fleets ADD FOREIGN KEY (deployment_target_id) REFERENCES deployment_targets (id);
ALTER TABLE fleets ADD FOREIGN KEY (fleet_type_id) REFERENCES fleet_types (id);
ALTER TABLE capacities ADD FOREIGN KEY (allocation_type_id) REFERENCES allocation_types (id);
ALTER TABLE capacities ADD FOREIGN KEY (fleet_id) REFERENCES fleets (id);
ALTER TABLE repos ADD FOREIGN KEY (repo_type_id) REFERENCES repo_types (id);
ALTER TABLE stacks ADD FOREIGN KEY (application_id) REFERENCES applications (id);
ALTER TABLE services ADD FOREIGN KEY (stack_id) REFERENCES stacks (id);
ALTER TABLE procs ADD FOREIGN KEY (service_id) REFERENCES services (id);
ALTER TABLE config_templates ADD FOREIGN KEY (language_id) REFERENCES languages (id);
ALTER TABLE builds ADD FOREIGN KEY (service_id) REFERENCES services (id);
ALTER TABLE deployments ADD FOREIGN KEY (deployment_target_id) REFERENCES deployment_targets (id);
ALTER TABLE deployments ADD FOREIGN KEY (service_id) REFERENCES services (id);
ALTER TABLE deployment_procs ADD FOREIGN KEY (deployment_id) REFERENCES deployments (id);
ALTER TABLE deployment_procs ADD FOREIGN KEY (proc_id) REFERENCES procs (id);
ALTER TABLE releases ADD FOREIGN KEY (deployment_id) REFERENCES deployments (id);
ALTER TABLE releases ADD FOREIGN KEY (build_id) REFERENCES builds (id);
ALTER TABLE allocations ADD FOREIGN KEY (deployment_proc_id) REFERENCES deployment_procs (id);
ALTER TABLE allocations ADD FOREIGN KEY (allocation_type_id) REFERENCES allocation_types (id);
ALTER TABLE build_artifacts ADD FOREIGN KEY (build_id) REFERENCES builds (id);
ALTER TABLE build_artifacts ADD FOREIGN KEY (input_repo_id) REFERENCES repos (id);
ALTER TABLE build_artifacts ADD FOREIGN KEY (output_repo_id) REFERENCES repos (id);
ALTER TABLE release_artifacts ADD FOREIGN KEY (release_id) REFERENCES releases (id);
ALTER TABLE release_artifacts ADD FOREIGN KEY (input_repo_id) REFERENCES repos (id);
ALTER TABLE release_artifacts ADD FOREIGN KEY (output_repo_id) REFERENCES repos (id);
ALTER TABLE deployment_configs ADD FOREIGN KEY (deployment_id) REFERENCES deployments (id);
ALTER TABLE deployment_configs ADD FOREIGN KEY (config_template_id) REFERENCES config_templates (id);
ALTER TABLE service_configs ADD FOREIGN KEY (service_id) REFERENCES services (id);
ALTER TABLE service_configs ADD FOREIGN KEY (config_template_id) REFERENCES config_templates (id);
ALTER TABLE stack_configs ADD FOREIGN KEY (stack_id) REFERENCES stacks (id);
ALTER TABLE stack_configs ADD FOREIGN KEY (config_template_id) REFERENCES config_templates (id);
ALTER TABLE services_repos ADD FOREIGN KEY (service_id) REFERENCES services (id);
ALTER TABLE services_repos ADD FOREIGN KEY (repo_id) REFERENCES repos (id);
ALTER TABLE deployments_zones ADD FOREIGN KEY (deployment_id) REFERENCES deployments (id);
ALTER TABLE deployments_zones ADD FOREIGN KEY (zone_id) REFERENCES zones (id);
ALTER TABLE subnets_fleets ADD FOREIGN KEY (subnet_id) REFERENCES subnets (id);
ALTER TABLE subnets_fleets ADD FOREIGN KEY (fleet_id) REFERENCES fleets (id);
ALTER TABLE target_fleets ADD FOREIGN KEY (deployment_target_id) REFERENCES deployment_targets (id);
ALTER TABLE target_fleets ADD FOREIGN KEY (fleet_id) REFERENCES fleets (id);

-- No two networks overlap, and no two subnets.
ALTER TABLE networks ADD EXCLUDE USING gist (cidr inet_ops WITH &&);
ALTER TABLE subnets ADD EXCLUDE USING gist (cidr inet_ops WITH &&);
