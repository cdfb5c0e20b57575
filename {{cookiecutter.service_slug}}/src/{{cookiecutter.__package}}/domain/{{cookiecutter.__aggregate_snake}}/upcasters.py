{{ aggregate_part.rest }}
