"""Every endpoint by its name: those read with GET and those that change something with POST."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.sandbox.testrail import fields, people, plans, repository, results, runs
from bot.sandbox.testrail.desk import Desk

Endpoint = Callable[[Desk], object]

READS: Mapping[str, Endpoint] = {
    "get_run": runs.get_run,
    "get_runs": runs.get_runs,
    "get_plan": plans.get_plan,
    "get_plans": plans.get_plans,
    "get_test": results.get_test,
    "get_tests": results.get_tests,
    "get_results": results.get_results,
    "get_results_for_case": results.get_results_for_case,
    "get_results_for_run": results.get_results_for_run,
    "get_statuses": people.get_statuses,
    "get_user": people.get_user,
    "get_user_by_email": people.get_user_by_email,
    "get_current_user": people.get_current_user,
    "get_users": people.get_users,
    "get_project": repository.get_project,
    "get_projects": repository.get_projects,
    "get_milestone": repository.get_milestone,
    "get_milestones": repository.get_milestones,
    "get_configs": repository.get_configs,
    "get_suite": repository.get_suite,
    "get_suites": repository.get_suites,
    "get_section": repository.get_section,
    "get_sections": repository.get_sections,
    "get_case": repository.get_case,
    "get_cases": repository.get_cases,
    "get_case_fields": fields.get_case_fields,
    "get_case_types": fields.get_case_types,
    "get_priorities": fields.get_priorities,
    "get_result_fields": fields.get_result_fields,
    "get_templates": fields.get_templates,
}

WRITES: Mapping[str, Endpoint] = {
    "add_run": runs.add_run,
    "update_run": runs.update_run,
    "close_run": runs.close_run,
    "delete_run": runs.delete_run,
    "add_plan": plans.add_plan,
    "update_plan": plans.update_plan,
    "close_plan": plans.close_plan,
    "delete_plan": plans.delete_plan,
    "add_plan_entry": plans.add_plan_entry,
    "update_plan_entry": plans.update_plan_entry,
    "delete_plan_entry": plans.delete_plan_entry,
    "update_run_in_plan_entry": plans.update_run_in_plan_entry,
    "add_result": results.add_result,
    "add_result_for_case": results.add_result_for_case,
    "add_results": results.add_results,
    "add_results_for_cases": results.add_results_for_cases,
    "add_suite": repository.add_suite,
    "add_section": repository.add_section,
    "delete_section": repository.delete_section,
    "add_case": repository.add_case,
}
