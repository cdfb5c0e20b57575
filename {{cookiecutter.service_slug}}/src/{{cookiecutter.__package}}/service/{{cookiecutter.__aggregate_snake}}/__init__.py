{{ aggregate_part.through('    command_handlers,') }}
    event_handlers,
{{ aggregate_part.through('command_handlers.Create') }}
{{ aggregate_part.through('    ),') }}
    (
        commands.Process{{ cookiecutter.__aggregate }},
        command_handlers.Process{{ cookiecutter.__aggregate }}Handler,
    ),
    (
        commands.Archive{{ cookiecutter.__aggregate }},
        command_handlers.Archive{{ cookiecutter.__aggregate }}Handler,
    ),
{{ aggregate_part.instead_of('        [],') }}
        [event_handlers.When{{ cookiecutter.__aggregate }}Created],
{{ aggregate_part.through('    ),') }}
    (
        events.{{ cookiecutter.__aggregate }}Processed,
        [event_handlers.When{{ cookiecutter.__aggregate }}Processed],
    ),
    (events.{{ cookiecutter.__aggregate }}Failed, []),
    (events.{{ cookiecutter.__aggregate }}Archived, []),
{{ aggregate_part.through('ListHandler') }}
{{ aggregate_part.through('    ),') }}
    (
        queries.Get{{ cookiecutter.__aggregate }}Row,
        queries.Get{{ cookiecutter.__aggregate }}RowHandler,
    ),
{{ aggregate_part.rest }}
