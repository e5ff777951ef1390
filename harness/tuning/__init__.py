"""Runs the trials of an experiment with Ray, which no other package imports.

Before a run, on the driver:
    launch, settings    the options of a launch, and the resources of trials
    preflight, plan     what is checked and downloaded before a run, and what it will do
    rehearsal, speed    tries algorithms that are not built in, and measures how fast this machine trains

During a run, on the driver:
    driver              takes the lease, records the run in the manifest, starts Ray, assembles the tables
    tune_run            trains packs of trials with Ray Tune
    packing, capacity   which trials share a process, and how many processes fit on the machines
    scheduling          which packs may start: all, or rung by rung in a search with halving
    monitor             takes the events of workers: updates progress, display and trackers, ends the run
    best_so_far         the best sample of a search
    trackers, tracking  Weights & Biases and MLflow
    selection           estimates the values of trained policies after training
    signals             ends a run on SIGINT, SIGTERM or SIGHUP

In a worker:
    worker              the class that Tune starts; takes an assignment, returns events (messages)
    attempt             trains a pack from its newest checkpoints to its results
    trial_session       the record, log and TensorBoard curves of one trial meanwhile (files: trial_files)
    stop_request        whether the driver asks to stop
    remote_evaluation   runs episodes in further processes
    runtime_env         where workers find the user's own modules; the file of `--runtime-env`

Ray:
    cluster             starts Ray here, or joins a cluster (cluster_access: checks that it can)
    ray_session         the folder of its files; watchdog prints how to resume if this process dies
    machines            whether all machines have the same packages and see the results
    ray_internals       every use of Ray's private interfaces

What the user sees:
    display             the display of `harness run`, with progress_table and summary
    status_view         the output of `harness status`
    last_output         why a worker died

Other commands:
    evaluating          `harness evaluate`: the episodes of many policies on all cores
    rebuilding          `harness policy rebuild`
"""
