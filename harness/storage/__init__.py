"""The record of a run, in a directory or an object store: what is done is read from files alone.

stores              reads and writes whole files, on a disk or in an object store
checksummed_json    JSON files with a checksum
lease               one driver per results directory
run_directory       the experiment and the trials of a results directory; its manifest lists the runs
differences         what has changed between two experiments
trial_record        the folder of one trial: owner, checkpoints, result (trial_result), error
progress            the state of each trial (trial_state), read from its record
rungs               which samples halving has stopped, from the records of their trials
estimates           the estimated values of policies
assembly            the tables that are assembled from the records
policies            finds and loads saved policies
provenance          versions, machine, time
"""
